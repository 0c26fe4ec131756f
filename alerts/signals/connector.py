"""What is known of one connector, and of one open transaction. Decided here: the fields, their units and whose clock they are of.

Absent is None, never zero. Unless their name says `measured`, instants are of our clock (when the record came).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from alerts.signals.marks import Mark, Step


class Problem(msgspec.Struct, frozen=True, gc=False):
    """A fault that OCPP 2.x NotifyEvent reported and did not clear."""

    at: datetime
    sequence: int
    component: str
    variable: str
    tech_code: str | None = None
    tech_info: str | None = None
    severity: int | None = None


class Order(msgspec.Struct, frozen=True, gc=False):
    """Something that we asked for and that the charge point agreed to."""

    at: datetime
    sequence: int
    until: datetime | None = None


class ConnectorSignals(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One connector, or (PointSignals.whole) the charge point as a whole. Registers Wh, powers W."""

    status: str | None = None
    status_at: datetime | None = None
    """Since when it has said so without a break."""
    status_sequences: tuple[int, ...] = ()
    """The record that said it first, and the latest ones that repeated it."""
    error_code: str | None = None
    vendor_error_code: str | None = None
    vendor_id: str | None = None
    info: str | None = None
    error_at: datetime | None = None
    """Since when an error stands: Faulted, or an error code beside another status. None without."""
    error_sequence: int = 0
    problems: dict[str, Problem] = {}
    faults: list[Mark] = []
    """Errors as they began; `what` is their code."""
    register_wh: float | None = None
    register_at: datetime | None = None
    register_measured_at: datetime | None = None
    register_sequence: int = 0
    power_peak_w: float | None = None
    """The highest power ever reported here."""
    reading_at: datetime | None = None
    reading_every_s: float | None = None
    """Usual time between readings inside transactions."""
    drops: list[Step] = []
    jumps: list[Step] = []
    out_of_service: Order | None = None
    """Our ChangeAvailability to Inoperative, until we take it back."""
    reserved: Order | None = None
    """Our ReserveNow, with its expiry."""


class OpenTransaction(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A transaction whose stop has not been reported."""

    transaction_id: str
    connector: str | None = None
    started_at: datetime
    started_sequence: int
    offline: bool = False
    """Its start was reported late, from a queue."""
    accepted: bool = True
    """Its token was accepted, or none was asked for."""
    start_register_wh: float | None = None
    register_wh: float | None = None
    register_at: datetime | None = None
    register_sequence: int = 0
    grown_at: datetime | None = None
    """When the register last rose; the first register counts as a rise."""
    grown_sequence: int = 0
    still: int = 0
    """Registers since then that did not rise."""
    flowed_wh: float = 0.0
    """What its own power readings say has flowed since then."""
    power_w: float | None = None
    power_at: datetime | None = None
    power_sequence: int = 0
    power_peak_w: float | None = None
    offered_w: float | None = None
    soc_percent: float | None = None
    readings: int = 0
    reading_at: datetime | None = None
    reading_sequence: int = 0
    charging_state: str | None = None
    """OCPP 2.x only; in 1.6 the connector's status says it."""
    charging_state_at: datetime | None = None
    charging_state_sequence: int = 0

    @property
    def energy_wh(self) -> float | None:
        """By its registers so far; None while fewer than two are known or they ran backwards."""
        if self.register_wh is None or self.start_register_wh is None or self.register_wh < self.start_register_wh:
            return None
        return self.register_wh - self.start_register_wh
