"""The folder of a platform that does not run, read as it lies there. Decided here: nothing in it is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from chargenet.errors import NotFound
from chargenet.journal import FollowedJournal, SegmentJournal
from chargenet.model.audit import AuditEntry
from chargenet.model.key import Key
from chargenet.model.record import microseconds
from chargenet.model.station import ChargePoint, ConnectorState, Site, Upload
from chargenet.model.token import TokenRow
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionChange
from chargenet.settings import Settings
from chargenet.storage.relational import SqlStores
from chargenet.stores import MAX_LIMIT, Page
from chargewatch.api.files import path_of
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.reader import Write
from chargewatch.frames import FrameEntry, read_frames
from chargewatch.layout import journal_folder, sql_file, sql_url

T = TypeVar("T")
_CHUNK = 1 << 20


class FolderReader:
    """Implements `chargewatch.cli.reader.Reader` over the journal, the SQL stores and the files of a folder."""

    def __init__(self, settings: Settings) -> None:
        self.source = str(settings.data_dir)
        self._settings = settings
        self._runner = asyncio.Runner()
        self._stores: SqlStores | None = None
        self._journal: FollowedJournal | None = None

    @property
    def stores(self) -> SqlStores:
        """The SQL stores, opened when first needed."""
        if self._stores is None:
            file = sql_file(self._settings)
            if file is not None and not file.is_file():
                raise _nothing_here(self._settings)
            sql = self._settings.sql
            password = sql.password.reveal() if sql.password else None
            self._stores = SqlStores(sql_url(self._settings), password=password, pool_size=1, timeout_s=sql.timeout_s)
        return self._stores

    @property
    def journal(self) -> FollowedJournal:
        """The journal, opened when first needed."""
        if self._journal is None:
            folder = journal_folder(self._settings)
            if not folder.is_dir():
                raise _nothing_here(self._settings)
            self._journal = SegmentJournal.open(folder, read_only=True)
        return self._journal

    def charge_points(
        self, *, site_id: str | None, registration: str | None, connected: bool | None, search: str | None, limit: int
    ) -> Page[ChargePoint]:
        filters = {"site_id": site_id, "registration": registration, "connected": connected, "search": search}
        return self._pages(self.stores.stations.charge_points, limit, **filters)

    def charge_point(self, charge_point_id: str) -> ChargePoint:
        row = self._run(self.stores.stations.charge_point(charge_point_id))
        if row is None:
            raise NotFound("charge point", charge_point_id)
        return row

    def connectors(self, *, charge_point_id: str | None, limit: int) -> Page[ConnectorState]:
        return self._pages(self.stores.stations.connectors, limit, charge_point_id=charge_point_id)

    def frames(
        self, charge_point_id: str, *, since: datetime | None, until: datetime | None, action: str | None, after: int, limit: int
    ) -> list[FrameEntry]:
        from collector.interpret import interpret  # all schemas and handlers, which other listings do not need

        found: list[FrameEntry] = []
        before: int | None = None
        while True:
            page = read_frames(
                self.journal,
                interpret,
                charge_point_id,
                since_us=microseconds(since) if since else 0,
                until_us=microseconds(until) if until else None,
                before=before,
                action=action,
                limit=min(limit - len(found), MAX_LIMIT),
            )
            found += [entry for entry in page.items if entry.sequence > after]
            before = page.next_before
            if before is None or len(found) >= limit or before <= after + 1:
                return found[::-1]

    def transactions(
        self, *, charge_point_id: str | None, state: str | None, flag: str | None, since: datetime | None, limit: int
    ) -> Page[Transaction]:
        filters = {"charge_point_id": charge_point_id, "state": state, "flag": flag, "since": since}
        return self._pages(self.stores.transactions.transactions, limit, **filters)

    def transaction(self, charge_point_id: str, transaction_id: str) -> tuple[Transaction, list[TransactionChange]]:
        row = self._run(self.stores.transactions.transaction(charge_point_id, transaction_id))
        if row is None:
            raise NotFound("transaction", transaction_id)
        changes = self._run(self.stores.transactions.changes(row.charge_point_id, row.transaction_id, limit=MAX_LIMIT))
        return row, changes.items

    def quarantine(self, *, charge_point_id: str | None, resolved: bool | None, limit: int) -> Page[QuarantinedReport]:
        return self._pages(self.stores.transactions.quarantine, limit, charge_point_id=charge_point_id, resolved=resolved)

    def sites(self, *, limit: int) -> Page[Site]:
        return self._pages(self.stores.sites.page, limit)

    def tokens(self, *, status: str | None, search: str | None, limit: int) -> Page[TokenRow]:
        return self._pages(self.stores.tokens.page, limit, status=status, search=search)

    def keys(self, *, limit: int) -> Page[Key]:
        return self._pages(self.stores.keys.page, limit)

    def audit(self, *, action: str | None, since: datetime | None, limit: int) -> Page[AuditEntry]:
        return self._pages(self.stores.audit.page, limit, action=action, since=since)

    def diagnostics(self, *, charge_point_id: str | None, limit: int) -> Page[Upload]:
        return self._pages(self.stores.stations.uploads, limit, charge_point_id=charge_point_id)

    def diagnostics_file(self, file_id: str, write: Write) -> Upload:
        entry = self._run(self.stores.stations.upload(file_id))
        path = path_of(self._settings.data_dir, file_id)
        if entry is None or path is None or not path.is_file():
            raise NotFound("diagnostics file", file_id)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                write(chunk)
        return entry

    def close(self) -> None:
        if self._stores is not None:
            self._run(self._stores.close())
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _pages(self, read: Any, limit: int, **filters: Any) -> Page[Any]:
        """Items of as many pages as `limit` needs."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page: Page[Any] = self._run(read(**filters, cursor=cursor, limit=min(limit - len(items), MAX_LIMIT)))
            items += page.items
            cursor = page.next_cursor
            if cursor is None or len(items) >= limit:
                return Page(items, cursor)


def _nothing_here(settings: Settings) -> CommandFailed:
    return CommandFailed(
        f"no platform runs on {settings.data_dir} and none ever did: start one with `chargewatch up`, "
        "or name another one with --data DIR or --api URL",
        Exit.NOT_REACHABLE,
    )
