"""The payments program: its parts joined. Decided here: how often it looks, and when it counts as not working.

There is one only where a gateway is set. Webhooks and people wake it; without them it finds everything by itself, later.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from billing_reports.payments.desk import PaymentDesk
from billing_reports.payments.metrics import PaymentMetrics
from billing_reports.payments.port import PaymentGateway
from billing_reports.payments.runner import PaymentRunner
from billing_reports.payments.schedule import Terms
from billing_reports.storage.customers_sql import SqlCustomers
from billing_reports.storage.payment_books import SqlBooks
from billing_reports.storage.payments_sql import SqlPayments
from chargenet.errors import Unavailable
from chargenet.ports import Clock, Notices
from chargenet.storage.relational_engine import Database

log = logging.getLogger(__name__)

LOOK_S = 5.0
PAUSE_S = 10.0
COUNT_S = 30.0
SILENT = 5
"""Requests in a row without an answer, after which payments do not work."""


def _nonce() -> str:
    return secrets.token_hex(16)


class PaymentsProgram:
    """Implements `chargenet.ports.Program`."""

    name = "payments"

    def __init__(self, database: Database, gateway: PaymentGateway, notices: Notices | None, clock: Clock, terms: Terms) -> None:
        store, books = SqlPayments(database), SqlBooks(database)
        self._gateway = gateway
        self._runner = PaymentRunner(gateway, store, books, notices, clock, terms, _nonce)
        self.desk = PaymentDesk(self._runner, SqlCustomers(database), clock)
        self._problem = ""
        self.metrics = PaymentMetrics(clock.now, lambda: self.health[0])

    @property
    def health(self) -> tuple[bool, str]:
        """Whether it goes on, and a sentence."""
        silent = self._runner.unanswered_in_a_row >= SILENT
        problem = self._problem or (self._runner.problem if silent else "")
        return not problem, problem or f"through {self._gateway.name}"

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._work(), name="payments: work")
                tasks.create_task(self._count(), name="payments: counts")
        finally:
            await self._gateway.close()

    async def _work(self) -> None:
        while True:
            self.desk.woken.clear()
            try:
                await self._runner.tick()
                self._problem = ""
            except Unavailable as problem:
                self._problem = str(problem)
                log.warning("payments wait: %s", problem)
            try:
                async with asyncio.timeout(PAUSE_S if self._problem else LOOK_S):
                    await self.desk.woken.wait()
            except TimeoutError:
                continue

    async def _count(self) -> None:
        while True:
            try:
                self.metrics.counted(await self._runner.store.summary())
            except Unavailable as problem:
                log.warning("payments are not counted: %s", problem)
            await asyncio.sleep(COUNT_S)
