"""All SQL stores over one database: SQLite by default, PostgreSQL by URL. The schema comes from `migrations.migrate`."""

from __future__ import annotations

from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_keys import SqlKeys
from chargenet.storage.relational_primary import SqlAudit, SqlFloors, SqlRegistrations, SqlSites, SqlTokens
from chargenet.storage.relational_stations import SqlStations
from chargenet.storage.relational_transactions import SqlTransactions
from chargenet.stores import Audit, Floors, Keys, Registrations, Sites, Stations, Tokens, Transactions


class SqlStores:
    """Implements `chargenet.stores.Stores`. Opening connects to nothing yet; the schema must be there before the first use.

    `database` is open to the programs, whose own tables are in `<program>/storage/`.
    `url`: `sqlite:///FILE` or `postgresql+psycopg://…`; `timeout_s` bounds each statement, twice that bounds each call.
    """

    def __init__(self, url: str, *, password: str | None = None, pool_size: int = 4, timeout_s: float = 10.0) -> None:
        self.database = Database(url, password=password, pool_size=pool_size, timeout_s=timeout_s)
        self.stations: Stations = SqlStations(self.database)
        self.transactions: Transactions = SqlTransactions(self.database)
        self.sites: Sites = SqlSites(self.database)
        self.registrations: Registrations = SqlRegistrations(self.database)
        self.tokens: Tokens = SqlTokens(self.database)
        self.keys: Keys = SqlKeys(self.database)
        self.audit: Audit = SqlAudit(self.database)
        self.floors: Floors = SqlFloors(self.database)

    async def check(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""
        await self.database.check()

    async def close(self) -> None:
        """Let running statements end, then let go of threads and connections."""
        await self.database.close()
