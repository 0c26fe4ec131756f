"""Every kind of finding, as data: its name as a Prometheus alert, how urgent it is by default, and what to do about it.

A critical one pages somebody, a warning is a ticket, info waits for nobody. A detector may give another severity with a reason.
The runbook is docs/runbooks/<title>.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chargenet.model.notice import Severity


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is the key that findings, cases and metrics carry; `title` the alert's name in CamelCase."""

    kind: str
    title: str
    severity: str
    thing: str
    """What it is about: connector, charge point, or group."""
    means: str
    """One sentence: what is so when this is found."""
    action: str
    """What to do next, in one sentence for someone woken at 3 a.m."""

    @property
    def runbook(self) -> str:
        """Name of its page in docs/runbooks."""
        return f"{self.title}.md"


_PAGE, _TICKET, _INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO
_CONNECTOR, _POINT, _GROUP = "connector", "charge point", "group"


def _kind(kind: str, title: str, severity: str, thing: str, means: str, action: str) -> Kind:
    return Kind(kind=kind, title=title, severity=severity, thing=thing, means=means, action=action)


_ROWS: tuple[Kind, ...] = (
    # Rules
    _kind(
        "safety_fault",
        "ConnectorSafetyFault",
        _PAGE,
        _CONNECTOR,
        "The connector reports a fault that can hurt somebody.",
        "Take the connector out of service now and send an electrician; do not reset it from afar.",
    ),
    _kind(
        "faulted",
        "ConnectorFaulted",
        _TICKET,
        _CONNECTOR,
        "The connector has called itself Faulted for minutes.",
        "Reset the charge point once it is idle; if the fault comes back, send a technician with the code.",
    ),
    _kind(
        "fault_flapping",
        "ConnectorFaultFlapping",
        _TICKET,
        _CONNECTOR,
        "Faults come and go at this connector.",
        "Take it out of service in the morning and have the part named by the code checked.",
    ),
    _kind(
        "offline",
        "ChargePointOffline",
        _TICKET,
        _POINT,
        "Nothing is heard of the charge point.",
        "Check its router or SIM card and its supply; if neighbours are online, power-cycle it on site.",
    ),
    _kind(
        "site_offline",
        "SiteOffline",
        _PAGE,
        _GROUP,
        "The charge points of one site fell silent together.",
        "Call the site: is there power, and is its router up? Charge points need no attention of their own.",
    ),
    _kind(
        "vendor_offline",
        "VendorOffline",
        _PAGE,
        _GROUP,
        "Charge points of one vendor fell silent together, at several sites.",
        "Ask the vendor whether its gateway or a firmware push is at fault; check certificates that expired.",
    ),
    _kind(
        "network_offline",
        "NetworkOffline",
        _PAGE,
        _GROUP,
        "A large part of all charge points fell silent together.",
        "Look at our own side first: uplink, DNS, certificate, load balancer, mobile operator.",
    ),
    _kind(
        "reboot_loop",
        "ChargePointRebootLoop",
        _TICKET,
        _POINT,
        "The charge point reboots again and again though nobody asked it to.",
        "Fetch its diagnostics, then check supply voltage and firmware; do not reset it again.",
    ),
    _kind(
        "connection_flapping",
        "ChargePointConnectionFlapping",
        _TICKET,
        _POINT,
        "The connection breaks and comes back again and again without a reboot.",
        "Check signal strength and router, and whether its ping interval is shorter than the heartbeat interval.",
    ),
    _kind(
        "stuck_preparing",
        "ConnectorStuckPreparing",
        _TICKET,
        _CONNECTOR,
        "Plugged in or authorized for long, and no transaction began.",
        "Try a remote start or unlock; if the driver is gone, reset the charge point when idle.",
    ),
    _kind(
        "stuck_finishing",
        "ConnectorStuckFinishing",
        _TICKET,
        _CONNECTOR,
        "The transaction ended long ago, and the connector is not free.",
        "Check on camera or by phone whether a car blocks it; if not, unlock the connector and reset the charge point.",
    ),
    _kind(
        "stuck_unavailable",
        "ConnectorStuckUnavailable",
        _TICKET,
        _CONNECTOR,
        "The connector is out of service, and we did not ask for it.",
        "Set it Operative; if it is refused, ask the site whether somebody switched it off.",
    ),
    _kind(
        "stuck_reserved",
        "ConnectorStuckReserved",
        _TICKET,
        _CONNECTOR,
        "A reservation has not ended though its time is over.",
        "Cancel the reservation; if it stays, reset the charge point when idle.",
    ),
    _kind(
        "stuck_suspended_evse",
        "ConnectorStuckSuspendedEVSE",
        _TICKET,
        _CONNECTOR,
        "The connector has held power back from a car for long.",
        "Check load management and charging profiles for a limit of 0; else reset the charge point when idle.",
    ),
    _kind(
        "stuck_occupied",
        "ConnectorStuckOccupied",
        _TICKET,
        _CONNECTOR,
        "Occupied for long without a transaction.",
        "Check whether a car blocks it; if not, reset the charge point.",
    ),
    _kind(
        "zombie_transaction",
        "ZombieTransaction",
        _TICKET,
        _CONNECTOR,
        "A transaction began, and nothing flows.",
        "Stop it from afar and unlock the plug; if the next one does the same, take the connector out of service.",
    ),
    _kind(
        "eternal_transaction",
        "EternalTransaction",
        _TICKET,
        _CONNECTOR,
        "A transaction runs far longer than any car charges.",
        "Stop it from afar; if the charge point does not know it, close it in the transaction list.",
    ),
    _kind(
        "transaction_on_available",
        "TransactionOnAvailableConnector",
        _TICKET,
        _CONNECTOR,
        "A transaction is open at a connector that says Available.",
        "Check the transaction's end before it is billed; ask the charge point for a StatusNotification.",
    ),
    _kind(
        "register_backwards",
        "MeterRegisterBackwards",
        _TICKET,
        _CONNECTOR,
        "The energy register ran backwards, which no meter may.",
        "Hold the bills of this connector since then and have the meter checked.",
    ),
    _kind(
        "register_frozen",
        "MeterRegisterFrozen",
        _TICKET,
        _CONNECTOR,
        "Power flows, and the energy register stands still.",
        "Energy is given away unmeasured: take the connector out of service and have the meter checked.",
    ),
    _kind(
        "meter_jump",
        "MeterJump",
        _TICKET,
        _CONNECTOR,
        "The energy register rose by more than can have flowed.",
        "Hold the bill of this transaction; look for a unit error or a replaced meter.",
    ),
    _kind(
        "clock_drift",
        "ChargePointClockDrift",
        _TICKET,
        _POINT,
        "The charge point's clock is wrong.",
        "Check its time zone and time server setting; bills by time of day use our clock until then.",
    ),
    _kind(
        "firmware_failed",
        "FirmwareUpdateFailed",
        _TICKET,
        _POINT,
        "The charge point reports that its firmware update failed.",
        "Read the status and its log, and see whether it still charges before trying again.",
    ),
    _kind(
        "unexpected_firmware",
        "UnexpectedFirmwareChange",
        _TICKET,
        _POINT,
        "It booted with another firmware version, and nobody here ordered it.",
        "Ask the vendor or the site who changed it; treat it as tampering until somebody says so.",
    ),
    _kind(
        "authorization_rejects",
        "AuthorizationRejectBurst",
        _TICKET,
        _POINT,
        "Several drivers in a row were refused.",
        "Check the token list and its synchronisation; if only this charge point refuses, its reader misreads cards.",
    ),
    _kind(
        "security_event",
        "ChargePointSecurityEvent",
        _TICKET,
        _POINT,
        "The charge point reports a security event, or its log-in failed again and again.",
        "Find out who was there; if nobody should have been, block the charge point and change its password.",
    ),
    # Statistical detectors
    _kind(
        "silent",
        "ConnectorSilent",
        _TICKET,
        _CONNECTOR,
        "Nobody has charged here for longer than chance explains.",
        "Look whether it can be reached and shows anything on its display; try a charge.",
    ),
    _kind(
        "failing_attempts",
        "ConnectorFailingAttempts",
        _TICKET,
        _CONNECTOR,
        "More attempts fail here than at its peers.",
        "Reset the charge point when idle; if attempts go on failing, take it out of service and send a technician.",
    ),
    _kind(
        "zero_energy",
        "ConnectorZeroEnergy",
        _TICKET,
        _CONNECTOR,
        "One driver after another gets no energy.",
        "Take the connector out of service so that drivers go to the next one, then reset the charge point.",
    ),
    _kind(
        "power_derated",
        "ConnectorPowerDerated",
        _TICKET,
        _CONNECTOR,
        "It delivers less power than it offers, and the cars are not the reason.",
        "Check power modules, cooling and cable temperature; look for a limit that somebody forgot.",
    ),
    _kind(
        "irregular_heartbeat",
        "ChargePointIrregularHeartbeat",
        _INFO,
        _POINT,
        "Its heartbeats have become irregular.",
        "Watch it: connections often fail next; check signal strength at the next visit.",
    ),
    _kind(
        "irregular_meter_values",
        "ConnectorIrregularMeterValues",
        _INFO,
        _CONNECTOR,
        "Its meter values have become irregular.",
        "Watch it: check signal strength and controller load at the next visit.",
    ),
    _kind(
        "temperature_above_siblings",
        "ConnectorTemperatureAboveSiblings",
        _TICKET,
        _CONNECTOR,
        "It runs hotter than its siblings under the same load.",
        "Have the plug's contacts and cable inspected soon: a loose contact heats before it burns.",
    ),
    _kind(
        "unusual",
        "ConnectorUnusual",
        _TICKET,
        _CONNECTOR,
        "Its week is unlike that of any peer.",
        "Read the features that stand out and decide whether somebody should look at it.",
    ),
)

KINDS: Mapping[str, Kind] = {row.kind: row for row in _ROWS}
"""By key, in the order of the table."""
