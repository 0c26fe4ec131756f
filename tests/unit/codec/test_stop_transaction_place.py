"""Readings that come with a StopTransaction belong to the connector of their transaction, which only the ledger knows."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from chargenet.events import MeasurementsTaken, TransactionStopped
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.record import Record
from chargenet.model.words import Protocol, RecordKind
from chargenet.storage.caches import CachedDirectory, CachedTokens
from chargenet.testing import MemoryStores
from collector.answer import process_call
from collector.context import Context
from collector.desk import FrontDesk, RegistrationRule
from collector.interpret import interpret
from collector.ledger import Ledger
from collector.ocpp.frames import CallFrame, parse

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STOP = {
    "transactionId": 1, "meterStop": 2000, "timestamp": "2026-03-01T11:00:00Z", "idTag": "AbC",
    "transactionData": [{"timestamp": "2026-03-01T10:30:00Z", "sampledValue": [{"value": "1500"}]}],
}  # fmt: skip


def test_the_readings_of_a_stop_have_their_connector_live_and_replayed() -> None:
    """The connector is part of the kept decision, so a rebuild tells the same."""
    ledger, stores = Ledger(), MemoryStores()
    ledger.start("CP1", ConnectorRef(2), IdToken("AbC"), "2026-03-01T10:00:00Z", 1000)
    ledger.bind(1)
    desk = FrontDesk(
        RegistrationRule(), CachedDirectory(stores.registrations), CachedTokens(stores.tokens, unknown="accept"), ledger
    )
    text = msgspec.json.encode([2, "7", "StopTransaction", STOP])
    frame = parse(text, Protocol.OCPP16)
    assert isinstance(frame, CallFrame)
    live = process_call(frame, Context("CP1", "ocpp1.6", AT), desk)
    kept = Record(2, int(AT.timestamp() * 1e6), "CP1", 1, "ocpp1.6", RecordKind.CALL, text, live.reply, live.decision)
    for events in (live.events, interpret(kept).events):
        placed = [event.connector for event in events if isinstance(event, MeasurementsTaken | TransactionStopped)]
        assert placed == [ConnectorRef(2), ConnectorRef(2)]
