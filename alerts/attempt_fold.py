"""Facts of one charge point → finished attempts. Decided here: which report begins, feeds and ends which attempt.

Pure and bounded. Reports come in journal order, which is not always the order of what happened: a stop that comes before its start
waits for it, a start or stop that comes again changes nothing. What never ends is taken as ended when its connector begins another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from alerts.attempt_draft import Draft
from alerts.attempts import LIMITS, Attempt, AttemptLimits, failure_of
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.words import ConnectorStatus, TokenStatus

AHEAD_S, BEHIND_S = 300.0, 7 * 86_400.0
"""How far a charge point's clock may be from ours to order its attempts; offline transactions come up to a week late."""
TOKEN_GOOD_FOR = timedelta(minutes=5)
"""How long a presented token and a plugged-in car belong together."""
MAX_OPEN, MAX_ENDED, MAX_EARLY, MAX_PLUGGED = 64, 32, 16, 64
CLEAN_REASONS = frozenset(
    {
        "Local", "Remote", "EVDisconnected", "StoppedByEV", "SOCLimitReached", "EnergyLimitReached", "TimeLimitReached",
        "LocalOutOfCredit", "MasterPass", "UnlockCommand", "DeAuthorized", "CostLimitReached", "Timeout",
    }
)  # fmt: skip
"""Ends of the driver's, the car's or the operator's choice (ChargeX valid stops and 1.6 kin). None means Local (1.6 §7.36)."""
_PLUGGED = frozenset({ConnectorStatus.PREPARING, ConnectorStatus.OCCUPIED})


class Plug(msgspec.Struct, kw_only=True):
    """A car at a connector without a transaction."""

    at: datetime
    sequence: int


class Presented(msgspec.Struct, kw_only=True):
    """A token that was shown."""

    at: datetime
    sequence: int
    token: str
    accepted: bool


class FoldState(msgspec.Struct, kw_only=True):
    """All that the fold remembers; bounded."""

    drafts: dict[str, Draft] = msgspec.field(default_factory=dict)
    plugged: dict[str, Plug] = msgspec.field(default_factory=dict)
    presented: Presented | None = None
    early_stops: dict[str, tuple[int, datetime, e.TransactionStopped]] = msgspec.field(default_factory=dict)
    ended: list[str] = msgspec.field(default_factory=list)


class AttemptFold:
    """Folds the facts of one charge point. `state` is a plain value: store it, and make the fold again from it."""

    __slots__ = ("_charge_point_id", "_limits", "state")

    def __init__(self, charge_point_id: str, state: FoldState | None = None, limits: AttemptLimits = LIMITS) -> None:
        self._charge_point_id, self._limits = charge_point_id, limits
        self.state = FoldState() if state is None else state

    def apply(self, fact: Fact) -> list[Attempt]:
        """The attempts that this fact finished, usually none. Readings of a record count before the stop in it."""
        events = fact.events
        if len(events) == 1:
            handler = _HANDLERS.get(type(events[0]))
            return [] if handler is None else handler(self, events[0], fact)
        finished: list[Attempt] = []
        for stops in (False, True):
            for event in events:
                handler = _HANDLERS.get(type(event))
                if handler is not None and (type(event) is e.TransactionStopped) is stops:
                    finished += handler(self, event, fact)
        return finished

    def busy(self, connector: str) -> bool:
        """Whether a transaction runs there."""
        return any(draft.connector == connector for draft in self.state.drafts.values())

    def _started(self, event: e.TransactionStarted, fact: Fact) -> list[Attempt]:
        state, transaction_id = self.state, event.transaction_id
        if transaction_id in state.drafts or transaction_id in state.ended:
            return []
        label = None if event.connector is None else event.connector.label
        finished = [
            self._finish(draft, fact.received_at, "superseded", None)
            for draft in list(state.drafts.values())
            if label is not None and draft.connector == label
        ]
        if len(state.drafts) >= MAX_OPEN:
            finished.append(self._finish(next(iter(state.drafts.values())), fact.received_at, "superseded", None))
        draft = Draft(
            transaction_id=transaction_id,
            connector=label,
            began_at=_sane(event.started_at, fact.received_at),
            began_received_at=fact.received_at,
            start_wh=event.energy_register_wh,
            last_wh=event.energy_register_wh,
        )
        draft.saw(fact.sequence)
        draft.said(event.charging_state)
        _token(draft, event)
        state.drafts[transaction_id] = draft
        if label is not None:
            state.plugged.pop(label, None)
        early = state.early_stops.pop(transaction_id, None)
        if early is not None:
            finished.append(self._stop(draft, early[2], early[0], early[1]))
        return finished

    def _updated(self, event: e.TransactionUpdated, fact: Fact) -> list[Attempt]:
        draft = self.state.drafts.get(event.transaction_id)
        if draft is not None:
            draft.said(event.charging_state)
            _token(draft, event)
            if event.energy_register_wh is not None:
                draft.last_wh = max(float(event.energy_register_wh), draft.last_wh or 0.0)
        return []

    def _stopped(self, event: e.TransactionStopped, fact: Fact) -> list[Attempt]:
        state, transaction_id = self.state, event.transaction_id
        if transaction_id is None or transaction_id in state.ended:
            return []
        draft = state.drafts.get(transaction_id)
        if draft is not None:
            return [self._stop(draft, event, fact.sequence, fact.received_at)]
        if transaction_id not in state.early_stops:
            while len(state.early_stops) >= MAX_EARLY:
                state.early_stops.pop(next(iter(state.early_stops)))
            nobody = msgspec.structs.replace(event, id_token=None)  # the state is stored: no personal data in it
            state.early_stops[transaction_id] = (fact.sequence, fact.received_at, nobody)
        return []

    def _stop(self, draft: Draft, event: e.TransactionStopped, sequence: int, received_at: datetime) -> Attempt:
        draft.saw(sequence)
        if event.energy_register_wh is not None and (draft.last_wh is None or event.energy_register_wh >= draft.last_wh):
            draft.last_wh = float(event.energy_register_wh)
        _token(draft, event)
        ended_at = _sane(event.stopped_at, received_at)
        if ended_at < draft.began_at:
            draft.began_at, ended_at = min(draft.began_received_at, received_at), received_at
        return self._finish(draft, ended_at, event.reason, event)

    def _finish(self, draft: Draft, ended_at: datetime, reason: str | None, stop: e.TransactionStopped | None) -> Attempt:
        state = self.state
        state.drafts.pop(draft.transaction_id, None)
        state.ended.append(draft.transaction_id)
        del state.ended[:-MAX_ENDED]
        clean = stop is not None and (reason is None or reason in CLEAN_REASONS)
        faulted = draft.faulted or (stop is not None and not clean)
        duration_s = max((ended_at - draft.began_at).total_seconds(), 0.0)
        energy_wh = draft.energy_wh
        car_limited = draft.full_samples == 0 and (draft.samples > 0 or draft.suspended_by_car)
        power_w = draft.power_w / draft.full_samples if draft.full_samples else None
        if power_w is None and not draft.samples and energy_wh and duration_s > 60 and not draft.suspended_by_car:
            power_w = energy_wh * 3600 / duration_s
        intervals, late = draft.late()
        return Attempt(
            charge_point_id=self._charge_point_id,
            connector=draft.connector or "",
            began_at=draft.began_at,
            ended_at=max(ended_at, draft.began_at),
            transaction_id=draft.transaction_id,
            token=draft.token,
            authorized=draft.authorized,
            energy_wh=energy_wh,
            power_w=power_w,
            offered_w=draft.offered_w / draft.offers if draft.offers else None,
            car_limited=car_limited,
            temperature_c=draft.temperature_c,
            intervals=intervals,
            late_intervals=late,
            clean=clean,
            end_reason=reason,
            failure=failure_of(
                authorized=draft.authorized, started=True, faulted=faulted, energy_wh=energy_wh, limits=self._limits
            ),
            sequences=tuple(draft.sequences),
        )

    def _measured(self, event: e.MeasurementsTaken, fact: Fact) -> list[Attempt]:
        draft = self.state.drafts.get(event.transaction_id) if event.transaction_id is not None else None
        if draft is None and event.connector is not None and event.transaction_id is None:
            label = event.connector.label
            draft = next((each for each in self.state.drafts.values() if each.connector == label), None)
        if draft is not None:
            draft.read(event, _sane(event.measured_at, fact.received_at), self._limits.ramp_s)
        return []

    def _presented(self, event: e.TokenPresented, fact: Fact) -> list[Attempt]:
        accepted = event.token_status == TokenStatus.ACCEPTED
        token = event.id_token.hashed
        self.state.presented = Presented(at=fact.received_at, sequence=fact.sequence, token=token, accepted=accepted)
        return []

    def _status(self, event: e.StatusReported, fact: Fact) -> list[Attempt]:
        if event.connector is None:
            return []
        state, label = self.state, event.connector.label
        for draft in state.drafts.values():
            if draft.connector == label:
                draft.said(event.status)
                if event.status == ConnectorStatus.FAULTED:
                    draft.saw(fact.sequence)
                return []
        if event.status in _PLUGGED:
            if label not in state.plugged and len(state.plugged) < MAX_PLUGGED:
                state.plugged[label] = Plug(at=fact.received_at, sequence=fact.sequence)
            return []
        plug = state.plugged.pop(label, None)
        return [] if plug is None else self._unplugged(label, plug, event.status, fact)

    def _unplugged(self, label: str, plug: Plug, status: str, fact: Fact) -> list[Attempt]:
        """The car left, or the connector broke off, before a transaction began. Without a token it was no try at charging."""
        shown = self.state.presented
        if shown is None or not plug.at - TOKEN_GOOD_FOR <= shown.at <= fact.received_at:
            return []
        faulted = status == ConnectorStatus.FAULTED
        if not faulted and (fact.received_at - max(plug.at, shown.at)).total_seconds() < self._limits.shortest_wait_s:
            return []
        self.state.presented = None
        return [
            Attempt(
                charge_point_id=self._charge_point_id,
                connector=label,
                began_at=min(plug.at, shown.at),
                ended_at=fact.received_at,
                token=shown.token,
                authorized=shown.accepted,
                started=False,
                clean=not faulted,
                failure=failure_of(authorized=shown.accepted, started=False, faulted=faulted, energy_wh=None),
                sequences=tuple(sorted({plug.sequence, shown.sequence, fact.sequence})),
            )
        ]


def _token(draft: Draft, event: e.TransactionStarted | e.TransactionUpdated | e.TransactionStopped) -> None:
    """Who asked, and whether that was accepted. A token shown to stop does not change who began."""
    if event.id_token is None or draft.token is not None:
        return
    draft.token = event.id_token.hashed
    if event.token_status is not None and not isinstance(event, e.TransactionStopped):
        draft.authorized = event.token_status == TokenStatus.ACCEPTED


def _sane(at: datetime | None, received_at: datetime) -> datetime:
    """The charge point's instant where it can order things, else ours."""
    return at if at is not None and -BEHIND_S <= (at - received_at).total_seconds() <= AHEAD_S else received_at


_Handler = Callable[[AttemptFold, Any, Fact], list[Attempt]]
_HANDLERS: dict[type[e.Event], _Handler] = {
    e.TransactionStarted: AttemptFold._started,
    e.TransactionUpdated: AttemptFold._updated,
    e.TransactionStopped: AttemptFold._stopped,
    e.MeasurementsTaken: AttemptFold._measured,
    e.TokenPresented: AttemptFold._presented,
    e.StatusReported: AttemptFold._status,
}
"""What feeds attempts; everything else says nothing about them."""
