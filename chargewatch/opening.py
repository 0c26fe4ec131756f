"""Opens what the platform stands on, in order. Decided here: which adapters the settings mean, and what must be there to start.

The journal, the SQL stores and the ledger must open; a telemetry store that is down only makes its projection wait.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec

from chargenet.errors import SettingsError
from chargenet.journal.journal import SegmentJournal
from chargenet.journal.options import JournalOptions
from chargenet.model.record import Record
from chargenet.ports import Clock, Journal, Telemetry
from chargenet.settings import Settings
from chargenet.storage.caches import CachedDirectory, CachedTokens
from chargenet.storage.key_ring import StoredKeyRing
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargewatch import layout
from chargewatch.telemetry_stores import open_telemetry
from collector.interpret import interpret
from collector.ledger import Ledger

log = logging.getLogger(__name__)

RECENT_TRANSACTIONS = 8
"""Per charge point, besides the open ones: a repeat comes soon after the first; the projection recognises older ones."""
EVENTS_AGAIN = 2_000
"""Records before the projection's position that are read again: they hold the OCPP 2.x events that may be repeated."""
FLOOR = "transaction_id"


class Opened(msgspec.Struct):
    """Everything with a file or a connection behind it."""

    journal: SegmentJournal
    stores: SqlStores
    directory: CachedDirectory
    tokens: CachedTokens
    keys: StoredKeyRing
    ledger: Ledger
    telemetry: list[Telemetry]

    async def close(self) -> None:
        """Let go of all of it; the journal last."""
        for telemetry in self.telemetry:
            await telemetry.close()
        await self.stores.close()
        await asyncio.to_thread(self.journal.close)


async def open_everything(settings: Settings, clock: Clock, *, serving: bool = True) -> Opened:
    """Raises JournalUnavailable, StoreUnavailable or SettingsError with a sentence for the operator.

    `serving` False: for work on the stores alone, which needs no ledger.
    """
    journal = open_journal(settings, clock)
    try:
        stores = await open_stores(settings)
        directory = CachedDirectory(stores.registrations)
        tokens = CachedTokens(stores.tokens, unknown=settings.tokens.unknown)
        keys = StoredKeyRing(stores.keys)
        await directory.refresh()
        await tokens.refresh()
        await keys.refresh()
        ledger = await restore_ledger(stores, journal) if serving else Ledger()
        telemetry = open_telemetry(settings, clock, lambda name: entry.site_id if (entry := directory.find(name)) else None)
        return Opened(journal, stores, directory, tokens, keys, ledger, telemetry)
    except BaseException:
        await asyncio.to_thread(journal.close)
        raise


def open_journal(settings: Settings, clock: Clock) -> SegmentJournal:
    """The journal of the data folder, for writing."""
    chosen = settings.journal
    options = JournalOptions(
        segment_bytes=chosen.segment_bytes,
        max_bytes=chosen.max_bytes,
        retention_days=chosen.retention_days,
        free_space_floor_bytes=chosen.free_space_floor_bytes,
    )
    return SegmentJournal.open(layout.journal_folder(settings), clock=clock, options=options)


async def open_stores(settings: Settings) -> SqlStores:
    """The SQL stores, with the schema of this version."""
    url, chosen = layout.sql_url(settings), settings.sql
    password = chosen.password.reveal() if chosen.password else None
    await asyncio.to_thread(migrate, url, password=password)
    return SqlStores(url, password=password, pool_size=chosen.pool_size, timeout_s=chosen.timeout_s)


async def restore_ledger(stores: SqlStores, journal: Journal) -> Ledger:
    """What was answered before: the recent transactions of the SQL store, then the journal's tail that it has not seen."""
    floor = max(journal.last_transaction_id, await stores.floors.get(FLOOR))
    ledger = Ledger(floor)
    ledger.restore(await stores.transactions.recent(RECENT_TRANSACTIONS))
    position = max(0, await stores.transactions.position() - EVENTS_AGAIN)
    while records := await asyncio.to_thread(journal.read, position, 5000):
        _apply(ledger, records)
        position = records[-1].sequence
    return ledger


def _apply(ledger: Ledger, records: list[Record]) -> None:
    for record in records:
        if concerns_a_transaction(record.frame):
            ledger.apply(interpret(record))


def concerns_a_transaction(frame: bytes) -> bool:
    """False when no such action can be in the text: most records need not be interpreted. An escaped text may hide one."""
    return b"Transaction" in frame or b"\\u" in frame


def prepare_folder(path: Path) -> None:
    """The data folder, for its owner only: it has keys and personal data in it. Raises SettingsError."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        problem = "is not a folder" if path.exists() else f"cannot be made: {error.strerror}"
        raise SettingsError("data folder", "data_dir", f"{path} {problem}; choose another one with --data DIR") from error
