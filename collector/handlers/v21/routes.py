"""What an OCPP 2.1 charge point may call, and who answers it: the 2.0.1 handlers, and those that only 2.1 has."""

from __future__ import annotations

from collector.context import Route, Routes
from collector.handlers.v21 import (
    get_certificate_chain_status,
    notify_ev_charging_needs,
    pull_dynamic_schedule_update,
    vat_number_validation,
)
from collector.handlers.v201.reports import report
from collector.handlers.v201.routes import ROUTES as V201

_ONLY_V21: Routes = {
    route.action: route
    for route in (
        Route("BatterySwap", report("BatterySwap")),
        Route("ClosePeriodicEventStream", report("ClosePeriodicEventStream")),
        Route("GetCertificateChainStatus", get_certificate_chain_status.handle, report=False),
        Route("NotifyDERAlarm", report("NotifyDERAlarm")),
        Route("NotifyDERStartStop", report("NotifyDERStartStop")),
        Route("NotifyEVChargingNeeds", notify_ev_charging_needs.handle),
        Route("NotifyPeriodicEventStream", report("NotifyPeriodicEventStream")),  # a SEND: its reply is never sent
        Route("NotifyPriorityCharging", report("NotifyPriorityCharging")),
        Route("NotifySettlement", report("NotifySettlement")),
        Route("OpenPeriodicEventStream", report("OpenPeriodicEventStream", {"status": "Accepted"})),
        Route("PullDynamicScheduleUpdate", pull_dynamic_schedule_update.handle, report=False),
        Route("ReportDERControl", report("ReportDERControl")),
        Route("VatNumberValidation", vat_number_validation.handle, report=False),
    )
}

ROUTES: Routes = {**V201, **_ONLY_V21}
