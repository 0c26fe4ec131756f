"""What is known of one charge point: a value that can be encoded, stored and taken up again. Decided here: its fields and size."""

from __future__ import annotations

from datetime import datetime

import msgspec

from alerts.signals.connector import ConnectorSignals, OpenTransaction
from alerts.signals.marks import ClockSample, Mark

FORMAT = 1
"""First byte of the encoded form. Raise it when an old one would be misread; states of another format are not taken up."""
MAX_CONNECTORS = 64
MAX_TRANSACTIONS = 64
MAX_COMMANDS = 16


class FirmwareSignals(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The last that was asked and said about firmware."""

    ordered_at: datetime | None = None
    """Our last UpdateFirmware that was not refused."""
    ordered_sequence: int = 0
    begins_at: datetime | None = None
    """From when it may act: the retrieval time that we named, or when it was sent."""
    install_at: datetime | None = None
    """The installation time that we named."""
    ended_at: datetime | None = None
    """It reported an end, or booted with another version."""
    changed_at: datetime | None = None
    """When it booted with another version after that order, which so is carried out."""
    status: str | None = None
    status_at: datetime | None = None
    status_sequence: int = 0
    info: str | None = None


class SentCommand(msgspec.Struct, frozen=True, gc=False):
    """A call of ours that has no answer yet, of those that matter here."""

    action: str
    at: datetime
    sequence: int
    connector: str | None = None
    operative: bool = True
    begins_at: datetime | None = None
    until: datetime | None = None


class PointSignals(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One charge point. Rings hold at most marks.KEPT entries, oldest first."""

    charge_point_id: str
    sequence: int = 0
    """The last record applied."""
    heard_at: datetime | None = None
    """Its last record that shows it was there; heartbeats leave none."""
    heard_sequence: int = 0
    protocol: str | None = None
    generation: int = 0
    connected: bool | None = None
    connection_at: datetime | None = None
    """When it opened, or closed."""
    connection_sequence: int = 0
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    firmware_sequence: int = 0
    booted_at: datetime | None = None
    heartbeat_interval_s: float | None = None
    """Where it reported its own setting."""
    whole: ConnectorSignals = msgspec.field(default_factory=ConnectorSignals)
    """What it says of itself rather than of a connector."""
    connectors: dict[str, ConnectorSignals] = {}
    transactions: dict[str, OpenTransaction] = {}
    closes: list[Mark] = []
    """Ends of connections that were not our doing; `what`: lost, closed or superseded."""
    boots: list[Mark] = []
    """Accepted boots; `what` is "" when nobody asked for it, else why it was expected; `detail` the reason that it gave."""
    orders_to_boot: list[Mark] = []
    """Our Reset, TriggerMessage and UpdateFirmware calls that excuse a boot each; `what` is the action."""
    rejects: list[Mark] = []
    """Tokens that were refused; `what` is the TokenStatus, `who` the token's hash."""
    accepts: list[Mark] = []
    security: list[Mark] = []
    """`what` is the type of the security event."""
    firmware: FirmwareSignals = msgspec.field(default_factory=FirmwareSignals)
    firmware_changes: list[Mark] = []
    """Versions that nobody ordered; `what` is "from → to"."""
    clock: list[ClockSample] = []
    commands: dict[str, SentCommand] = {}
    """By message id."""

    def connector(self, label: str | None) -> ConnectorSignals:
        """The signals of a connector, made when it is new; `whole` for None. Above MAX_CONNECTORS they are not kept."""
        if label is None:
            return self.whole
        known = self.connectors.get(label)
        if known is None:
            known = ConnectorSignals()
            if len(self.connectors) < MAX_CONNECTORS:
                self.connectors[label] = known
        return known


def encode(point: PointSignals) -> bytes:
    """Format, then MessagePack without defaults."""
    return bytes((FORMAT,)) + _ENCODER.encode(point)


def decode(data: bytes) -> PointSignals:
    """Inverse of `encode`. Raises ValueError for another format, and for what is no PointSignals."""
    if data[:1] != bytes((FORMAT,)):
        raise ValueError(f"it has format {data[0] if data else 'none'}, this version reads {FORMAT}")
    return _DECODER.decode(memoryview(data)[1:])


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(PointSignals)
