"""What an OCPP 1.6 charge point may call, and who answers it."""

from __future__ import annotations

from collector.context import Route, Routes
from collector.handlers.v16 import (
    authorize,
    boot_notification,
    data_transfer,
    diagnostics_status_notification,
    firmware_status_notification,
    heartbeat,
    log_status_notification,
    meter_values,
    security_event_notification,
    sign_certificate,
    signed_firmware_status_notification,
    start_transaction,
    status_notification,
    stop_transaction,
)

ROUTES: Routes = {
    route.action: route
    for route in (
        Route("Authorize", authorize.handle, authorize.decide, report=False),
        Route("BootNotification", boot_notification.handle, boot_notification.decide),
        Route("DataTransfer", data_transfer.handle),
        Route("DiagnosticsStatusNotification", diagnostics_status_notification.handle),
        Route("FirmwareStatusNotification", firmware_status_notification.handle),
        Route("Heartbeat", heartbeat.handle, journaled=False),
        Route("LogStatusNotification", log_status_notification.handle),
        Route("MeterValues", meter_values.handle),
        Route("SecurityEventNotification", security_event_notification.handle),
        Route("SignCertificate", sign_certificate.handle, report=False),
        Route("SignedFirmwareStatusNotification", signed_firmware_status_notification.handle),
        Route("StartTransaction", start_transaction.handle, start_transaction.decide),
        Route("StatusNotification", status_notification.handle),
        Route("StopTransaction", stop_transaction.handle, stop_transaction.decide),
    )
}
