"""What an OCPP 2.0.1 charge point may call, and who answers it."""

from __future__ import annotations

from collector.context import Route, Routes
from collector.handlers.v201 import (
    authorize,
    boot_notification,
    data_transfer,
    firmware_status_notification,
    get_15118_ev_certificate,
    get_certificate_status,
    heartbeat,
    log_status_notification,
    meter_values,
    notify_ev_charging_needs,
    notify_ev_charging_schedule,
    notify_event,
    notify_report,
    security_event_notification,
    sign_certificate,
    status_notification,
    transaction_event,
)
from collector.handlers.v201.reports import report

ROUTES: Routes = {
    route.action: route
    for route in (
        Route("Authorize", authorize.handle, authorize.decide),
        Route("BootNotification", boot_notification.handle, boot_notification.decide),
        Route("ClearedChargingLimit", report("ClearedChargingLimit")),
        Route("DataTransfer", data_transfer.handle),
        Route("FirmwareStatusNotification", firmware_status_notification.handle),
        Route("Get15118EVCertificate", get_15118_ev_certificate.handle, report=False),
        Route("GetCertificateStatus", get_certificate_status.handle, report=False),
        Route("Heartbeat", heartbeat.handle, journaled=False),
        Route("LogStatusNotification", log_status_notification.handle),
        Route("MeterValues", meter_values.handle),
        Route("NotifyChargingLimit", report("NotifyChargingLimit")),
        Route("NotifyCustomerInformation", report("NotifyCustomerInformation")),
        Route("NotifyDisplayMessages", report("NotifyDisplayMessages")),
        Route("NotifyEVChargingNeeds", notify_ev_charging_needs.handle),
        Route("NotifyEVChargingSchedule", notify_ev_charging_schedule.handle),
        Route("NotifyEvent", notify_event.handle),
        Route("NotifyMonitoringReport", report("NotifyMonitoringReport")),
        Route("NotifyReport", notify_report.handle),
        Route("PublishFirmwareStatusNotification", report("PublishFirmwareStatusNotification")),
        Route("ReportChargingProfiles", report("ReportChargingProfiles")),
        Route("ReservationStatusUpdate", report("ReservationStatusUpdate")),
        Route("SecurityEventNotification", security_event_notification.handle),
        Route("SignCertificate", sign_certificate.handle, report=False),
        Route("StatusNotification", status_notification.handle),
        Route("TransactionEvent", transaction_event.handle, transaction_event.decide),
    )
}
