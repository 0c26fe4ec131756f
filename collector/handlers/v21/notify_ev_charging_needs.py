"""NotifyEVChargingNeeds, OCPP 2.1 use cases K15 and K18: kept; 2.1 has a word for "no charging profile will come"."""

from __future__ import annotations

from collector.handlers.v201.reports import report

handle = report("NotifyEVChargingNeeds", {"status": "NoChargingProfile"})
