"""A desk that answers as a case says, for tests that run a whole frame."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chargenet.model.ids import ConnectorRef, IdToken, connector, parse_label
from chargenet.model.record import NO_DECISION, Decision, Record, microseconds
from chargenet.model.words import Protocol, RecordKind
from chargenet.ports import TokenAnswer
from collector.answer import Processed, process_call, process_refused, process_send, process_stray
from collector.context import Context, Matched
from collector.ocpp.frames import CallFrame, SendFrame, Unparsable, parse

RECEIVED_AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


class CaseDesk:
    """Knows one answer to each question; `asked` keeps the questions. `stop` None matches what was said."""

    def __init__(
        self,
        *,
        token: str = "Accepted",
        parent: str | None = None,
        registration: str = "Accepted",
        start: int = 1001,
        stop: int | None = None,
        duplicate_of: int | None = None,
        place: str | None = None,
    ) -> None:
        self._token, self._parent, self._registration = token, parent, registration
        self._start, self._stop, self._duplicate_of, self._place = start, stop, duplicate_of, place
        self.asked: list[tuple[Any, ...]] = []

    def registration(self, charge_point_id: str) -> tuple[str, int]:
        return self._registration, 300

    def authorize(self, token: IdToken, now: datetime) -> TokenAnswer:
        self.asked.append(("authorize", token.value, now))
        return TokenAnswer(self._token, self._parent)

    def start(
        self, charge_point_id: str, connector: ConnectorRef | None, token: IdToken | None, started_at: str, register_wh: int | None
    ) -> Matched:
        self.asked.append(("start", charge_point_id, connector, token, started_at, register_wh))
        return Matched(self._start, self._duplicate_of)

    def stop(
        self, charge_point_id: str, transaction_id: int | None, token: IdToken | None, stopped_at: str, register_wh: int | None
    ) -> Matched:
        self.asked.append(("stop", charge_point_id, transaction_id, token, stopped_at, register_wh))
        said = transaction_id if transaction_id and transaction_id > 0 else None
        return Matched(self._stop or said, self._duplicate_of)

    def event(self, charge_point_id: str, transaction_id: str, seq_no: int, event_type: str) -> Matched:
        self.asked.append(("event", charge_point_id, transaction_id, seq_no, event_type))
        return Matched(None, self._duplicate_of)

    def place(
        self, charge_point_id: str, transaction_id: str, evse_id: int | None, connector_id: int | None
    ) -> ConnectorRef | None:
        return connector(evse_id, connector_id) or (parse_label(self._place) if self._place else None)

    def ended(self, charge_point_id: str, transaction_id: str) -> None:
        self.asked.append(("ended", charge_point_id, transaction_id))


def process(data: bytes, protocol: Protocol, desk: CaseDesk | None = None, decision: Decision = NO_DECISION) -> Processed:
    """What becomes of a text from a charge point that has called nothing and was called by nobody."""
    frame = parse(data, protocol)
    context = Context("CP-1", protocol.value, RECEIVED_AT, decision)
    if isinstance(frame, CallFrame):
        return process_call(frame, context, desk or CaseDesk())
    if isinstance(frame, SendFrame):
        return process_send(frame, context, desk or CaseDesk())
    return process_refused(frame) if isinstance(frame, Unparsable) else process_stray(frame)


def record_of(data: bytes, protocol: Protocol, processed: Processed, sequence: int = 7) -> Record:
    """The journal record of that exchange."""
    return Record(
        sequence,
        microseconds(RECEIVED_AT),
        "CP-1",
        3,
        protocol.value,
        RecordKind(processed.kind),
        data,
        processed.reply,
        processed.decision,
    )
