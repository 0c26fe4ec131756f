"""Metrics of rollouts. Decided here: what of each is shown, and for how long after its end.

The last tick is shown as it was; nothing is read at a scrape. The wave of a series of evidence is the one that was judged then: the
e-values are those of the whole rollout, which has one alpha.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chargenet.observe import names as n
from chargenet.observe.names import Family
from firmware_orchestrator.dossier import Dossier
from firmware_orchestrator.evidence.signals import INSTALL_SIGNALS
from firmware_orchestrator.gate import GateState, SignalEvidence, Verdict
from firmware_orchestrator.rows import HOLDOUT_WAVE, Rollout

SHOWN_AFTER_END = timedelta(days=1)
MAX_ROLLOUTS = 100
"""Shown at once; the newest."""
Values = Mapping[tuple[str, ...], float]


class Shown(msgspec.Struct, frozen=True):
    """One rollout as the last tick left it."""

    rollout: Rollout
    counts: dict[tuple[str, str], int]
    """(wave, state of the update) → charge points."""
    verdict: Verdict | None
    state: GateState
    complete_at: datetime | None
    """The evidence has everything up to here."""


class RolloutMetrics(Collector):
    """Asked at each scrape, on the event loop. `behind`: records not seen yet; `damaged`: files that are served to nobody."""

    def __init__(self, behind: Callable[[], int], damaged: Callable[[], int]) -> None:
        self._behind, self._damaged = behind, damaged
        self._shown: dict[str, Shown] = {}
        self.working = True
        self.tick_s = 0.0

    def seen(self, dossiers: Sequence[Dossier], now: datetime) -> None:
        """A tick has stored these."""
        kept = {name: each for name, each in self._shown.items() if _is_recent(each.rollout, now)}
        kept |= {each.rollout.rollout_id: _shown(each) for each in dossiers}
        self._shown = dict(sorted(kept.items(), key=lambda item: item[1].rollout.created_at)[-MAX_ROLLOUTS:])

    def collect(self) -> Iterator[Metric]:
        """All families of n.ROLLOUTS."""
        every = list(self._shown.values())
        yield _gauge(n.ROLLOUT_STATE, {_state(each.rollout): 1.0 for each in every})
        yield _gauge(n.ROLLOUT_WAVE_STATE, {key: 1.0 for each in every for key in _waves(each.rollout)})
        updates: Values = {(each.rollout.rollout_id, *key): float(count) for each in every for key, count in each.counts.items()}
        yield _gauge(n.ROLLOUT_UPDATES, updates)
        yield from _verdicts([(_at(each, each.verdict), each.verdict) for each in every if each.verdict is not None])
        yield from _signals({_at(each, each.verdict): each.verdict.signals for each in every if each.verdict is not None})
        yield from _gate_states({_at(each, each.verdict): each.state for each in every if each.verdict is not None})
        complete = {each.rollout.rollout_id: each.complete_at for each in every}
        yield _gauge(n.ROLLOUT_EVIDENCE_AT, {(name,): at.timestamp() for name, at in complete.items() if at is not None})
        yield _gauge(n.FIRMWARE_BEHIND, {(): float(self._behind())})
        yield _gauge(n.FIRMWARE_WORKING, {(): float(self.working)})
        yield _gauge(n.FIRMWARE_TICK, {(): self.tick_s})
        yield _gauge(n.FIRMWARE_DAMAGED, {(): float(self._damaged())})


Key = tuple[str, str]
"""Rollout, wave."""


def _verdicts(every: Sequence[tuple[Key, Verdict]]) -> Iterator[Metric]:
    yield _gauge(n.ROLLOUT_VERDICT, {(*key, str(each.outcome), each.code): 1.0 for key, each in every})
    yield _gauge(n.ROLLOUT_EVIDENCE, {key: each.e for key, each in every})
    yield _gauge(n.ROLLOUT_EVIDENCE_LIMIT, {key: each.limit for key, each in every})
    yield _gauge(n.ROLLOUT_PROOF, {key: each.proof for key, each in every})
    yield _gauge(n.ROLLOUT_PROOF_LIMIT, {key: each.proof_limit for key, each in every})
    yield _gauge(n.ROLLOUT_RULE_OUT, {key: each.rule_out for key, each in every})


def _signals(every: Mapping[Key, Sequence[SignalEvidence]]) -> Iterator[Metric]:
    rows = {(*key, str(each.signal)): each for key, signals in every.items() for each in signals}
    rates = {key: each for key, each in rows.items() if each.signal not in INSTALL_SIGNALS}
    yield _gauge(n.ROLLOUT_SIGNAL_EVIDENCE, {key: each.e for key, each in rows.items()})
    yield _gauge(n.ROLLOUT_SIGNAL_FIRST, {key: each.e_first for key, each in rows.items()})
    yield _gauge(n.ROLLOUT_SIGNAL_SHARE, {key: each.share for key, each in rows.items()})
    events, exposure = dict[tuple[str, ...], float](), dict[tuple[str, ...], float]()
    for key, each in rates.items():
        events[*key, "new"], events[*key, "control"] = float(each.treated), float(each.control)
        exposure[*key, "new"], exposure[*key, "control"] = each.treated_days * 86_400, each.control_days * 86_400
    yield _gauge(n.ROLLOUT_SIGNAL_EVENTS, events)
    yield _gauge(n.ROLLOUT_SIGNAL_EXPOSURE, exposure)
    yield _gauge(n.ROLLOUT_SIGNAL_RATIO, {key: each.ratio for key, each in rates.items() if each.ratio is not None})


def _gate_states(every: Mapping[Key, GateState]) -> Iterator[Metric]:
    installs, judged = dict[tuple[str, ...], float](), dict[tuple[str, ...], float]()
    for key, state in every.items():
        for outcome, count in (("finished", state.finished), ("failed", state.failed), ("lost", state.lost)):
            installs[*key, outcome] = float(count)
        judged[*key, "new"], judged[*key, "control"] = float(state.treated), float(state.control)
    yield _gauge(n.ROLLOUT_INSTALLS, installs)
    yield _gauge(n.ROLLOUT_JUDGED, judged)


def _shown(dossier: Dossier) -> Shown:
    counted = Counter((_wave(each.wave), str(each.state)) for each in dossier.updates)
    complete_at = None if dossier.state.at is None else dossier.tempo.clock(dossier.state.at)
    return Shown(dossier.rollout, dict(counted), dossier.verdict, dossier.state, complete_at)


def _is_recent(rollout: Rollout, now: datetime) -> bool:
    return rollout.ended_at is not None and now - rollout.ended_at < SHOWN_AFTER_END


def _at(shown: Shown, verdict: Verdict) -> Key:
    return shown.rollout.rollout_id, str(verdict.wave)


def _wave(number: int) -> str:
    return "holdout" if number == HOLDOUT_WAVE else str(number)


def _state(rollout: Rollout) -> tuple[str, ...]:
    return rollout.rollout_id, rollout.version, str(rollout.state), rollout.reason


def _waves(rollout: Rollout) -> Iterator[tuple[str, ...]]:
    for number, row in enumerate(rollout.waves):
        yield rollout.rollout_id, str(number), str(row.state)


def _gauge(family: Family, values: Values) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric
