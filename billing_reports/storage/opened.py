"""The stores of billing, of one database or of one memory. Decided here: nothing but which adapters belong together."""

from __future__ import annotations

from billing_reports.statement_store import BillingStores
from billing_reports.storage.customers_memory import MemoryCustomers
from billing_reports.storage.customers_sql import SqlCustomers
from billing_reports.storage.ledger_memory import MemoryLedger
from billing_reports.storage.ledger_sql import SqlLedger
from billing_reports.storage.meter_keys import MemoryMeterKeys, SqlMeterKeys
from billing_reports.storage.statements_memory import MemoryStatements
from billing_reports.storage.statements_sql import SqlStatements
from billing_reports.storage.tariffs_memory import MemoryTariffs
from billing_reports.storage.tariffs_sql import SqlTariffs
from chargenet.storage.relational_engine import Database


def sql_billing(database: Database) -> BillingStores:
    """On SQLite or PostgreSQL."""
    return BillingStores(
        SqlLedger(database), SqlTariffs(database), SqlCustomers(database), SqlStatements(database), SqlMeterKeys(database)
    )


def memory_billing() -> BillingStores:
    """For tests: empty, and forgotten with the process. Statements settle the CDRs of the same ledger."""
    ledger = MemoryLedger()
    return BillingStores(ledger, MemoryTariffs(), MemoryCustomers(), MemoryStatements(ledger), MemoryMeterKeys())
