"""A charge point's story for the rules: short to write, judged at any second of it. Instants are seconds after DAY."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.detectors.rules import Heard, RuleSettings, judge
from alerts.finding import Finding
from alerts.signals import NetworkSignals, PointSignals
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.measurement import ENERGY_REGISTER, POWER, SOC, Measurement
from tests.support.facts import at

MINUTE, HOUR, DAYS = 60, 3600, 86_400
SETTINGS = RuleSettings()


class Tale:
    """Facts of charge points, in the order in which they are told."""

    def __init__(self) -> None:
        self.signals = NetworkSignals()
        self.facts: list[Fact] = []

    def tell(
        self, seconds: float, *events: Event, charge_point: str = "CP1", generation: int = 1, protocol: str = "ocpp1.6"
    ) -> int:
        """One frame; its sequence."""
        sequence = len(self.facts) + 1
        fact = Fact(sequence, at(seconds), charge_point, generation, protocol, "Any", events)
        self.facts.append(fact)
        self.signals.apply(fact)
        return sequence

    def point(self, charge_point: str = "CP1") -> PointSignals:
        """What is known of a charge point."""
        return self.signals.points[charge_point]

    def judge(
        self,
        seconds: float,
        *,
        settings: RuleSettings = SETTINGS,
        sites: Mapping[str, str] | None = None,
        heard: Heard | None = None,
    ) -> list[Finding]:
        """All findings at an instant."""
        return judge(self.signals, at(seconds), settings, sites or {}, heard)

    def kinds(self, seconds: float, *, heard: Heard | None = None) -> list[str]:
        """Kinds of all findings at an instant."""
        return sorted(finding.kind for finding in self.judge(seconds, heard=heard))

    def only(self, seconds: float, kind: str, *, heard: Heard | None = None) -> Finding:
        """The one finding of this kind."""
        (finding,) = [each for each in self.judge(seconds, heard=heard) if each.kind == kind]
        return finding


OPENED = e.ConnectionOpened(remote="10.0.0.1")
LOST = e.ConnectionClosed(code=1006, reason="", lost=True)


def said(
    status: str, connector: int | None = 1, code: str | None = "NoError", vendor_code: str | None = None, info: str | None = None
) -> Event:
    """A status of 1.6."""
    return e.StatusReported(
        connector=None if connector is None else ConnectorRef(connector),
        status=status,
        raw_status=status,
        error_code=code,
        vendor_error_code=vendor_code,
        info=info,
    )


def boot(firmware: str | None = "1.0", *, registration: str = "Accepted", reason: str | None = None, vendor: str = "Acme") -> Event:
    """A boot."""
    return e.ChargePointBooted(
        vendor=vendor, model="One", serial_number=None, firmware_version=firmware, registration=registration, reason=reason
    )


def began(transaction_id: str = "1", connector: int = 1, register_wh: int | None = 0, **rest: object) -> e.TransactionStarted:
    """A start without a token."""
    known = {"started_at": None, **rest}
    return e.TransactionStarted(
        transaction_id=transaction_id,
        connector=ConnectorRef(connector),
        energy_register_wh=register_wh,
        **known,  # type: ignore[arg-type]  # the fields of the event
    )


def ended(transaction_id: str | None = "1", connector: int | None = 1, register_wh: int | None = None) -> Event:
    """A stop."""
    place = None if connector is None else ConnectorRef(connector)
    return e.TransactionStopped(transaction_id=transaction_id, connector=place, stopped_at=None, energy_register_wh=register_wh)


def read(
    wh: float | None = None,
    w: float | None = None,
    *,
    soc: float | None = None,
    seconds: float | None = None,
    connector: int = 1,
    transaction_id: str | None = "1",
    context: str = "Sample.Periodic",
) -> Event:
    """Meter values; `seconds`: the device's clock."""
    values = ((ENERGY_REGISTER, wh, "Wh"), (POWER, w, "W"), (SOC, soc, "Percent"))
    return e.MeasurementsTaken(
        connector=ConnectorRef(connector),
        transaction_id=transaction_id,
        measured_at=None if seconds is None else at(seconds),
        measurements=tuple(
            Measurement(measurand=measurand, value=value, unit=unit, context=context)
            for measurand, value, unit in values
            if value is not None
        ),
    )


def refused(token: str) -> Event:
    """A token that was not accepted."""
    return e.TokenPresented(id_token=IdToken(token), token_status="Invalid")


def sent(action: str, message_id: str = "m1", **payload: object) -> Event:
    """A call of ours."""
    return e.CommandSent(message_id=message_id, action=action, payload=dict(payload))


def answered(action: str, message_id: str = "m1", status: str = "accepted") -> Event:
    """Its end."""
    return e.CommandAnswered(message_id=message_id, action=action, status=status)
