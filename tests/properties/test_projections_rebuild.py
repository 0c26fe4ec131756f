"""Read models depend on the facts in their order and nothing else: batches, restarts and databases leave no trace."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.transaction import Transaction, TransactionState
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.stores import Stores
from chargenet.testing import MemoryStores
from collector.projections.stations import StationsProjection
from collector.projections.transaction_book import Windows
from collector.projections.transactions import TransactionsProjection
from tests.support.facts import at
from tests.support.transactions import NEVER, booted, moment, reading, started, status, stopped, updated

IDS = ["1", "2", "3", "4", "5"]
PLUGS = st.sampled_from([None, 1, 2])
WHEN = st.one_of(st.none(), st.just(NEVER), *[st.sampled_from([10, 20, 30, 40, 900]).map(moment)] * 3)
TOKENS = st.sampled_from(["AA", "AA", "aa", "x\x00\ud800", None])
REGISTERS = st.sampled_from([0, 0, 1, 2, None, 10**30])
SEQ_NOS = st.one_of(st.none(), st.integers(0, 6), st.just(2**70))
STATES = st.sampled_from(["Charging", "SuspendedEV", "odd\x00", None])

EVENTS = st.one_of(
    st.builds(started, st.sampled_from(IDS), WHEN, REGISTERS, plug=PLUGS, token=TOKENS, seq_no=SEQ_NOS, charging_state=STATES),
    st.builds(updated, st.sampled_from(IDS), WHEN, SEQ_NOS, plug=PLUGS, charging_state=STATES),
    st.builds(stopped, st.sampled_from([*IDS, None, "999"]), WHEN, REGISTERS, token=TOKENS, seq_no=SEQ_NOS),
    st.builds(
        reading,
        st.sampled_from([*IDS, None, "999"]),
        WHEN,
        st.integers(0, 9),
        context=st.sampled_from(["Sample.Periodic", "Transaction.Begin", "Transaction.End"]),
    ),
    st.builds(status, st.sampled_from(["Available", "Charging", "Faulted"]), WHEN, plug=PLUGS),
    st.just(booted()),
    st.just(e.ConnectionOpened(remote="r")),
    st.just(e.ConnectionClosed(code=1006, reason="", lost=True)),
    st.just(e.DiagnosticsStatusReported(status="Uploading")),
    st.just(e.SecurityEventReported(type="t\x00", occurred_at=NEVER)),
)
SHORT = st.lists(
    st.tuples(
        st.sampled_from(["CP1", "CP2"]),
        st.sampled_from(["ocpp1.6", "ocpp1.6", "ocpp2.0.1"]),
        st.integers(1, 4),
        st.integers(-50, 500),
        st.lists(EVENTS, min_size=1, max_size=3),
    ),
    max_size=12,
)


def traffic(seed: int) -> list[Any]:
    """A long, dense stretch of traffic: what meets only rarely in short lists (twins, late starts, estimates) meets often."""
    dice = random.Random(seed)
    frames = []
    for _ in range(dice.randint(20, 90)):
        when, wh = moment(dice.choice([10, 20, 30, 40])), dice.choice([0, 1, 2])
        token, name = dice.choice(["AA", "aa", None]), dice.choice(IDS)
        event: Event = dice.choice(
            [
                started(name, when, wh, plug=dice.choice([1, 2]), token=token, seq_no=dice.randint(0, 4)),
                stopped(dice.choice([name, None]), when, wh, token=token, seq_no=dice.randint(0, 4)),
                updated(name, when, dice.randint(0, 4), charging_state=dice.choice(["Charging", "SuspendedEV"])),
                reading(name, dice.choice([when, moment(50)]), dice.randint(0, 9)),
                status(dice.choice(["Available", "Charging"]), dice.choice([when, moment(45)]), plug=dice.choice([1, 2])),
            ]
        )
        frames.append((dice.choice(["CP1", "CP1", "CP2"]), dice.choice(["ocpp1.6", "ocpp2.0.1"]), 1, dice.randint(0, 90), [event]))
    return frames


FRAMES = st.one_of(SHORT, st.integers(0, 2**32).map(traffic))


def facts_of(frames: list[Any]) -> list[Fact]:
    """Each charge point speaks one protocol; sequences are dense, our clock may jump."""
    protocols: dict[str, str] = {}
    facts = []
    for sequence, (charge_point, protocol, generation, received, events) in enumerate(frames, 1):
        protocol = protocols.setdefault(charge_point, protocol)
        facts.append(Fact(sequence, at(received), charge_point, generation, protocol, "Any", tuple(events)))
    return facts


async def everything(stores: Stores) -> list[Any]:
    """All rows of both models."""
    transactions = (await stores.transactions.transactions(limit=1000)).items
    changes = [
        (await stores.transactions.changes(row.charge_point_id, row.transaction_id, limit=1000)).items for row in transactions
    ]
    stations = [
        (await stores.stations.charge_points(limit=1000)).items,
        (await stores.stations.connectors(limit=1000)).items,
        (await stores.stations.events(limit=1000)).items,
    ]
    quarantine = (await stores.transactions.quarantine(limit=1000)).items
    aliases = await stores.transactions.load(["CP1", "CP2"], 1000, 1000)
    known = sorted(aliases.aliases, key=lambda row: (row.charge_point_id, row.alias_id))
    return [transactions, changes, stations, quarantine, known, await stores.floors.get("transaction_id")]


def _projections(stores: Stores) -> tuple[TransactionsProjection, StationsProjection]:
    """With windows and caches so small that random traffic leaves them."""
    transactions = TransactionsProjection(stores.transactions, windows=Windows(recent=3, stops=2), max_books=1)
    return transactions, StationsProjection(stores.stations, max_stations=1)


async def project(stores: Stores, facts: list[Fact], batches: list[tuple[int, bool]]) -> list[Any]:
    """Project in batches of the given sizes; True restarts the projections before a batch, facts are then offered again."""
    transactions, stations = _projections(stores)
    rest, done, turn = list(facts), 0, 0
    while rest:
        size, restart = batches[turn % len(batches)]
        turn += 1
        if restart:
            transactions, stations = _projections(stores)
        batch, rest = rest[:size], rest[size:]
        repeated = facts[max(0, done - 3) : done] + batch if restart else batch
        done += len(batch)
        await transactions.apply(repeated, done)
        await stations.apply(repeated, done)
    return await everything(stores)


BATCHES = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(FRAMES, BATCHES)
def test_live_projection_in_any_batches_with_restarts_equals_a_rebuild(frames: list[Any], batches: list[tuple[int, bool]]) -> None:
    """One batch from nothing gives exactly the rows that many small ones gave, after a reset too."""

    async def run() -> None:
        facts, stores = facts_of(frames), MemoryStores()
        live = await project(stores, facts, batches)
        await TransactionsProjection(stores.transactions).reset()
        await StationsProjection(stores.stations).reset()
        rebuilt = await project(stores, facts, [(10_000, False)])
        assert live == rebuilt
        for row in rebuilt[0]:
            holds(row)

    asyncio.run(run())


def holds(row: Transaction) -> None:
    """What is true of every transaction, whatever was reported."""
    assert row.duration_s is None or row.duration_s >= 0
    assert row.energy_wh is None or row.energy_wh >= 0
    assert (row.state == TransactionState.OPEN) == (row.ended_at is None)
    assert (row.state == TransactionState.STOPPED) == (row.stop_sequence is not None)
    assert (row.state == TransactionState.ESTIMATED) == (row.evidence is not None) == (row.evidence_sequence is not None)
    assert row.began_at is not None
    assert row.first_sequence <= row.last_sequence


# No shrinking: hundreds of databases would outlast the test's time.
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.reuse, Phase.generate])
@given(FRAMES, st.lists(st.tuples(st.integers(5, 30), st.booleans()), min_size=1, max_size=6))
def test_a_database_ends_in_the_rows_of_the_fake(frames: list[Any], batches: list[tuple[int, bool]]) -> None:
    """What SQLite stores and gives back changes nothing in what the folds see."""

    async def run(folder: str) -> None:
        url = f"sqlite:///{Path(folder) / 'x.sqlite'}"
        await asyncio.to_thread(migrate, url)
        stores, facts = SqlStores(url), facts_of(frames)
        try:
            assert await project(stores, facts, batches) == await project(MemoryStores(), facts, [(10_000, False)])
        finally:
            await stores.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(folder))


@given(FRAMES)
@settings(max_examples=100, deadline=None)
def test_a_stop_is_never_lost(frames: list[Any]) -> None:
    """Each reported stop is the stop of a transaction, a counted repeat, or in quarantine."""

    async def run() -> None:
        facts, stores = facts_of(frames), MemoryStores()
        transactions, changes, _, quarantine, _, _ = await project(stores, facts, [(7, False)])
        reported = sum(isinstance(event, e.TransactionStopped) for fact in facts for event in fact.events)
        kept = sum(
            change.kind == "stopped" or (change.kind, change.value) == ("repeated", "stop") for part in changes for change in part
        )
        claimed = sum(row.resolved_by is not None for row in quarantine)
        assert kept + len(quarantine) == reported
        assert claimed <= len(transactions)

    asyncio.run(run())
