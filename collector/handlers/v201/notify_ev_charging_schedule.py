"""NotifyEVChargingSchedule, OCPP 2.0.1 use case K15: the vehicle's own schedule is taken note of; we have no objection to it."""

from __future__ import annotations

from collector.handlers.v201.reports import report

handle = report("NotifyEVChargingSchedule", {"status": "Accepted"})
