"""Where read-only commands get their answers: a running platform, or the folder of a stopped one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from chargenet.model.audit import AuditEntry
from chargenet.model.key import Key
from chargenet.model.station import ChargePoint, ConnectorState, Site, Upload
from chargenet.model.token import TokenRow
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionChange
from chargenet.stores import Page
from chargewatch.frames import FrameEntry


class Reader(Protocol):
    """Everything that can be read. Pages hold at most `limit` items. Raises NotFound, Unavailable or CommandFailed."""

    source: str
    """For people: the address or the folder."""

    def charge_points(
        self, *, site_id: str | None, registration: str | None, connected: bool | None, search: str | None, limit: int
    ) -> Page[ChargePoint]: ...

    def charge_point(self, charge_point_id: str) -> ChargePoint: ...

    def connectors(self, *, charge_point_id: str | None, limit: int) -> Page[ConnectorState]: ...

    def frames(
        self, charge_point_id: str, *, since: datetime | None, until: datetime | None, action: str | None, after: int, limit: int
    ) -> list[FrameEntry]:
        """The newest `limit` entries with sequence > `after`, oldest first."""

    def transactions(
        self, *, charge_point_id: str | None, state: str | None, flag: str | None, since: datetime | None, limit: int
    ) -> Page[Transaction]: ...

    def transaction(self, charge_point_id: str, transaction_id: str) -> tuple[Transaction, list[TransactionChange]]: ...

    def quarantine(self, *, charge_point_id: str | None, resolved: bool | None, limit: int) -> Page[QuarantinedReport]: ...

    def sites(self, *, limit: int) -> Page[Site]: ...

    def tokens(self, *, status: str | None, search: str | None, limit: int) -> Page[TokenRow]: ...

    def keys(self, *, limit: int) -> Page[Key]: ...

    def audit(self, *, action: str | None, since: datetime | None, limit: int) -> Page[AuditEntry]: ...

    def diagnostics(self, *, charge_point_id: str | None, limit: int) -> Page[Upload]: ...

    def diagnostics_file(self, file_id: str, write: Write) -> Upload:
        """Hand the file to `write`, piece by piece; its entry."""

    def close(self) -> None: ...


class Write(Protocol):
    """Takes the next bytes of a file."""

    def __call__(self, chunk: bytes, /) -> object: ...
