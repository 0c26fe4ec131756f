"""The cases that may still change, in memory, and the only writer of their store. Decided here: what is stored is what is known.

A change counts when it is stored; while the store does not answer nothing changes, and the next judgement finds the same again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from alerts.attempts import Attempt
from alerts.case import Case, Change, acknowledged, resolved
from alerts.cases import Known, Policy, Proof, Surroundings, expired, judge
from alerts.finding import Finding
from alerts.knowledge import Knowledge
from alerts.maintenance import Window
from alerts.policies import DEFAULT, LONGEST_COOL_DOWN_S, policy_of
from alerts.store import CaseStore, Piece
from chargenet.errors import NotFound
from chargenet.ports import Clock
from chargenet.stores import MAX_LIMIT

PROOFS = "proofs"
"""Piece of what is stored with the detectors' knowledge."""


class Caseload:
    """All unresolved cases, and those that may come back. Its methods must not run at the same time: its owner takes turns."""

    def __init__(self, store: CaseStore, clock: Clock, speed: float = 1.0) -> None:
        self._store, self._clock = store, clock
        self._policies = policy_of(speed)
        self.by_key: dict[tuple[str, str], Case] = {}
        self.windows: list[Window] = []
        self.proofs: dict[str, Proof] = {}
        """The last good session at each thing that an unresolved case is about."""
        self._proofs_changed = False
        self.changed: Callable[[Change], None] = lambda change: None
        """Told of every stored change."""
        self._next_id = 1

    async def load(self) -> None:
        """What a restart needs. Raises StoreUnavailable."""
        now = self._clock.now()
        self.by_key = {case.key: case for case in await self._store.current(now - timedelta(seconds=LONGEST_COOL_DOWN_S))}
        self._next_id = await self._store.next_id()
        await self.load_windows()

    async def load_windows(self) -> None:
        """Planned work that is not over."""
        self.windows = list((await self._store.windows(ends_after=self._clock.now(), limit=MAX_LIMIT)).items)

    async def judge(self, findings: Iterable[Finding], scope: Callable[[Case], bool], knowledge: Knowledge) -> list[Change]:
        """What findings change, stored. Raises StoreUnavailable."""
        now = self._clock.now()
        around = Surroundings(
            policy=self.policy,
            groups=knowledge.groups,
            site=knowledge.sites.get,
            mask=lambda finding: knowledge.mask(finding, now, self.windows),
            proof=lambda case: self.proofs.get(case.thing),
        )
        # Thousands of findings in an outage are seconds of work; whoever may change a case waits for our owner's turn meanwhile.
        changes = await asyncio.to_thread(judge, findings, Known(self.by_key, self._next_id), scope, around, now)
        await self._keep(changes, now)
        self._forget(now)
        return changes

    def prove(self, attempts: Iterable[Attempt], now: datetime) -> None:
        """Sessions that gave their drivers energy are proofs for the unresolved cases of their connectors."""
        for attempt in attempts:
            if attempt.failure is None and attempt.energy_wh is not None:
                thing = f"{attempt.charge_point_id}/{attempt.connector}"
                if any(case.thing == thing and case.is_open for case in self.by_key.values()):
                    self.proofs[thing] = Proof(now, _good(attempt))
                    self._proofs_changed = True

    def take(self) -> list[Piece]:
        """The proofs as a piece, where they changed since the last time."""
        if not self._proofs_changed:
            return []
        self._proofs_changed = False
        return [Piece(PROOFS, msgspec.msgpack.encode(self.proofs))]

    def restore(self, state: bytes) -> None:
        """Takes stored proofs up again. Raises msgspec.ValidationError for what they are not."""
        self.proofs = msgspec.msgpack.decode(state, type=dict[str, Proof])

    async def acknowledge(self, case_id: int, who: str, note: str) -> tuple[Case, Case]:
        """A person takes a case; as it was and as it is. Raises NotFound, Conflict, StoreUnavailable."""
        return await self._by_hand(case_id, lambda case, now: acknowledged(case, who, note, now))

    async def resolve(self, case_id: int, who: str, note: str) -> tuple[Case, Case]:
        """A person ends a case. Raises as `acknowledge`."""
        return await self._by_hand(case_id, lambda case, now: resolved(case, who, note, now))

    def untold(self) -> list[Case]:
        """What the relay must still hear."""
        return [case for case in self.by_key.values() if case.untold]

    async def told(self, cases: Sequence[Case]) -> None:
        """The relay has stored these. Raises StoreUnavailable: they will be told again, which changes nothing."""
        await self._store.mark_told({case.case_id: case.revision for case in cases})
        for case in cases:
            known = self.by_key.get(case.key)
            if known is not None and known.case_id == case.case_id:
                self.by_key[case.key] = msgspec.structs.replace(known, told=case.revision)

    def policy(self, kind: str) -> Policy:
        """How cases of this kind behave."""
        return self._policies.get(kind, DEFAULT)

    async def _by_hand(self, case_id: int, act: Callable[[Case, datetime], Change]) -> tuple[Case, Case]:
        case = next((each for each in self.by_key.values() if each.case_id == case_id), None) or await self._store.case(case_id)
        if case is None:
            raise NotFound("case", str(case_id))
        now = self._clock.now()
        change = act(case, now)
        await self._keep([change], now)
        return case, change.case

    async def _keep(self, changes: Sequence[Change], now: datetime) -> None:
        if not changes:
            return
        await self._store.save(changes, now)
        for change in changes:
            self.by_key[change.case.key] = change.case
            self._next_id = max(self._next_id, change.case.case_id + 1)
            self.changed(change)

    def _forget(self, now: datetime) -> None:
        """Resolved cases that can no longer come back, and that nobody waits to hear of."""
        gone = [key for key, case in self.by_key.items() if not case.untold and expired(case, self.policy(case.kind), now)]
        for key in gone:
            del self.by_key[key]
        if self.proofs:
            things = {case.thing for case in self.by_key.values() if case.is_open}
            for thing in [thing for thing in self.proofs if thing not in things]:
                del self.proofs[thing]
                self._proofs_changed = True


def _good(attempt: Attempt) -> str:
    which = "" if attempt.transaction_id is None else f" {attempt.transaction_id[:36]}"
    record = f" (record {attempt.sequences[-1]})" if attempt.sequences else ""
    return f"session{which} delivered {(attempt.energy_wh or 0) / 1000:.1f} kWh{record}"
