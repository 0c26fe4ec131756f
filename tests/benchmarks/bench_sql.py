"""How fast read models are built in SQL, and what the ledger, the token table and a key check cost. One JSON line each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chargenet.events import Event, Fact
from chargenet.model.ids import IdToken
from chargenet.model.token import TokenRow
from chargenet.ports import Projection
from chargenet.storage.caches import CachedTokens
from chargenet.storage.key_ring import StoredKeyRing
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.testing import MemoryStores
from collector.ledger import Ledger
from collector.projections.stations import StationsProjection
from collector.projections.transactions import TransactionsProjection
from tests.support.facts import at
from tests.support.postgres import Postgres, postgres
from tests.support.transactions import reading, started, status, stopped

pytestmark = pytest.mark.benchmark
__all__ = ["postgres"]

CHARGE_POINTS, FACTS, BATCH = 1_000, 100_000, 2_000


def traffic(count: int) -> list[Fact]:
    """Sessions at all charge points: a start, twenty readings and statuses, a stop; one charge point after another in turn."""
    facts = []
    for sequence in range(1, count + 1):
        number, turn = sequence % CHARGE_POINTS, sequence // CHARGE_POINTS
        step, transaction_id, when = turn % 24, str(number * 10_000 + turn // 24 + 1), turn * 60 + number / 100
        event: Event
        if step == 0:
            event = started(transaction_id, when, turn * 100, token=f"T{number}")
        elif step == 23:
            event = stopped(transaction_id, when, turn * 100)
        elif step % 8 == 7:
            event = status("SuspendedEV" if step == 7 else "Charging", when)
        else:
            event = reading(transaction_id, when, turn * 100)
        facts.append(Fact(sequence, at(when), f"CP{number:05}", 1, "ocpp1.6", "Any", (event,)))
    return facts


async def cost(projection: Projection, facts: list[Fact], batch: int) -> tuple[float, float]:
    """(facts a second, CPU µs a fact) for projecting them in batches."""
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(facts), batch):
        part = facts[start : start + batch]
        await projection.apply(part, part[-1].sequence)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return len(facts) / wall, cpu / len(facts) * 1e6


async def measure(name: str, url: str) -> None:
    """Both projections on one database, and as the peer the same without batches (the first 2,000 facts)."""
    facts = traffic(FACTS)
    stores = SqlStores(url)
    result: dict[str, Any] = {"benchmark": f"sql projections on {name}", "facts": FACTS, "batch": BATCH}
    for projection in (TransactionsProjection(stores.transactions), StationsProjection(stores.stations)):
        await projection.reset()
        single, _ = await cost(projection, facts[:2_000], 1)
        await projection.reset()
        speed, cpu_us = await cost(projection, facts, BATCH)
        result |= {
            f"{projection.name}_per_s": round(speed),
            f"{projection.name}_cpu_us": round(cpu_us, 1),
            f"{projection.name}_ratio_to_one_by_one": round(speed / single, 1),
        }
    rows = await stores.transactions.transactions(limit=1000)
    assert len(rows.items) == 1000
    await stores.close()
    print(json.dumps(result))


async def test_sqlite_is_rebuilt_fast(tmp_path: Path) -> None:
    """The target of a rebuild is 20,000 records a second, everything included."""
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    await asyncio.to_thread(migrate, url)
    await measure("sqlite", url)


@pytest.mark.server("postgresql")
async def test_postgresql_is_rebuilt_fast(postgres: Postgres) -> None:
    """The same against a real server on this machine."""
    url = postgres.database()
    await asyncio.to_thread(migrate, url)
    await measure("postgresql", url)


def per_call_us(work: Callable[[], object], times: int = 200_000) -> float:
    """CPU µs of one call, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(times):
            work()
        best = min(best, time.process_time() - begun)
    return best / times * 1e6


async def test_the_hot_path_asks_memory_only() -> None:
    """event() + bind() is paid by every TransactionEvent: at most 2 µs. The peer is one look-up in a dict."""
    ledger, numbers, now = Ledger(), iter(range(10**9)), datetime(2026, 3, 1, tzinfo=UTC)

    def event() -> None:
        number = next(numbers)
        ledger.event("CP1", "t", number, "Updated")
        ledger.bind(number + 1)

    stores = MemoryStores()
    tokens, keys = CachedTokens(stores.tokens), StoredKeyRing(stores.keys)
    await tokens.put([TokenRow(value=f"T{number}") for number in range(100_000)])
    key = await keys.create("bench", "viewer", now)
    table, token = {"CP1": 1}, IdToken("t500")
    result = {
        "benchmark": "ledger, tokens, keys",
        "event_us": round(per_call_us(event), 2),
        "authorize_us": round(per_call_us(lambda: tokens.authorize(token, now)), 2),
        "authenticate_us": round(per_call_us(lambda: keys.authenticate(key.secret, now), 50_000), 2),
        "dict_get_us": round(per_call_us(lambda: table.get("CP1")), 2),
    }
    print(json.dumps(result))
