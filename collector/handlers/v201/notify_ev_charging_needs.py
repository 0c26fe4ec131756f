"""NotifyEVChargingNeeds, OCPP 2.0.1 use case K15: kept, and no charging schedule will follow from us."""

from __future__ import annotations

from collector.handlers.v201.reports import refusal, report

handle = report("NotifyEVChargingNeeds", refusal("Rejected", "UnsupportedRequest", "no charging schedule is calculated here"))
