"""How findings read. Decided here: the sentences, the numbers in them and the journal records behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from alerts.detectors.statistics.history import Key
from alerts.detectors.statistics.intervals import HeartbeatIntervals
from alerts.detectors.statistics.levels import Levels
from alerts.detectors.statistics.table import EMPTY, FAILED
from alerts.finding import Evidence, Finding
from alerts.kinds import KINDS
from chargenet.model.notice import Severity

MAX_SEQUENCES = 20
PAGE_DRIVERS = 3


def zero_energy(levels: Levels, at: int, key: Key) -> Finding:
    """Pages when chance is out of the question and three drivers or more were hit."""
    test = levels.zero_energy
    urgent = test.e[at] <= levels.view.settings.no_energy_page_limit and test.drivers[at] >= PAGE_DRIVERS
    severity = Severity.CRITICAL if urgent else KINDS["zero_energy"].severity
    return _attempts(levels, at, key, "zero_energy", severity)


def failing_attempts(levels: Levels, at: int, key: Key) -> Finding:
    """A ticket."""
    return _attempts(levels, at, key, "failing_attempts", KINDS["failing_attempts"].severity)


def _attempts(levels: Levels, at: int, key: Key, kind: str, severity: str) -> Finding:
    test = levels.zero_energy if kind == "zero_energy" else levels.failing_attempts
    view = levels.view
    failures, tries, drivers = int(test.failures[at]), int(test.tries[at]), int(test.drivers[at])
    a, b = view.failure_prior
    usual = float(a[at] / (a[at] + b[at]))
    since = int(test.since[at])
    records = view.records[at, since:]
    bad = np.isin(records["outcome"], (EMPTY,) if kind == "zero_energy" else (EMPTY, FAILED))
    what = "gave no energy" if kind == "zero_energy" else "failed"
    began_at = _at(float(records["began"][0]))
    return _finding(
        kind,
        key,
        severity,
        float(test.e[at]),
        began_at,
        f"{failures} of the last {tries} attempts {what}, by {drivers} {'driver' if drivers == 1 else 'drivers'}",
        (
            Evidence(
                what=f"{failures} of {tries} attempts since {_text(began_at)} {what}; of its peers' {usual:.1%} do",
                value=round(failures / tries, 3),
                expected=round(usual, 4),
                sequences=_sequences(records[bad]["last"]),
            ),
            Evidence(what="different drivers hit", value=drivers),
            _chance(float(test.e[at])),
        ),
    )


def silent(levels: Levels, at: int, key: Key) -> Finding:
    """Nobody comes."""
    test, view = levels.silent, levels.view
    since = float(test.since[at])
    days = (view.now - since) / 86_400
    rate = float(test.rate[at])
    expected = float(test.expected[at])
    return _finding(
        "silent",
        key,
        KINDS["silent"].severity,
        float(test.e[at]),
        _at(since),
        f"nobody has charged for {_length(days)}, where {expected:.0f} attempts were to be expected",
        (
            Evidence(
                what=f"no attempt since {_text(_at(since))}; usually {rate:.2g} a day, quiet hours and holidays taken off",
                value=0,
                expected=round(expected, 1),
                unit="attempts",
                sequences=_sequences(view.records[at, -1:]["last"]),
            ),
            _chance(float(test.e[at])),
        ),
    )


def power_derated(levels: Levels, at: int, key: Key) -> Finding:
    """Less power."""
    test, view = levels.power_derated, levels.view
    since = int(test.since[at])
    records = view.records[at, since:]
    known = records[np.isfinite(records["log2_power"])]
    older = view.records[at, :since]["log2_power"]
    older = older[np.isfinite(older)]
    share = float(2 ** np.median(known["log2_power"]))
    usual = float(2 ** np.median(older)) if len(older) else None
    began_at = _at(float(records["began"][0]))
    before = "" if usual is None else f", before it was {usual:.0%}"
    return _finding(
        "power_derated",
        key,
        KINDS["power_derated"].severity,
        float(test.e[at]),
        began_at,
        f"delivers {share:.0%} of what it offers{before}",
        (
            Evidence(
                what=f"{len(known)} charges since {_text(began_at)} at {share:.0%} of the offer (median){before}; "
                "charges that the car limited are left out",
                value=round(share, 3),
                expected=None if usual is None else round(usual, 3),
                sequences=_sequences(known["last"]),
            ),
            _chance(float(test.e[at])),
        ),
    )


def temperature_above_siblings(levels: Levels, at: int, key: Key) -> Finding:
    """Hotter than its siblings."""
    test, view = levels.temperature_above_siblings, levels.view
    known = view.records[at][view.used[at] & np.isfinite(view.records[at]["temperature_c"])][-6:]
    siblings = int(test.siblings[at])
    with_whom = f"{siblings} siblings" if siblings != 1 else "1 sibling"
    return _finding(
        "temperature_above_siblings",
        key,
        KINDS["temperature_above_siblings"].severity,
        float(test.e[at]),
        _at(float(known["began"][0])),
        f"runs {test.rise_c[at]:.0f} °C hotter than it did, beyond what its siblings changed",
        (
            Evidence(
                what=f"highs of its last charges {test.recent_c[at]:.0f} °C; a rise of {test.rise_c[at]:.0f} °C beyond {with_whom}",
                value=round(float(test.rise_c[at]), 1),
                unit="Celsius",
                expected=0,
                sequences=_sequences(known["last"]),
            ),
            _chance(float(test.e[at])),
        ),
    )


def irregular_meter_values(levels: Levels, at: int, key: Key) -> Finding:
    """Irregular readings."""
    test, view = levels.irregular_meter_values, levels.view
    records = view.records[at, int(test.since[at]) :]
    return _finding(
        "irregular_meter_values",
        key,
        KINDS["irregular_meter_values"].severity,
        float(test.e[at]),
        _at(float(records["began"][0])),
        f"{test.late_share[at]:.0%} of its readings come out of step, usually {test.usual_share[at]:.0%}",
        (
            Evidence(
                what="share of reading intervals far from their median, newest attempts against older ones",
                value=round(float(test.late_share[at]), 3),
                expected=round(float(test.usual_share[at]), 3),
                sequences=_sequences(records["last"]),
            ),
            _chance(float(test.e[at])),
        ),
    )


def heartbeat(test: HeartbeatIntervals, at: int, now: datetime) -> Finding:
    """Irregular heartbeats of a charge point."""
    share, usual = float(test.share[at]), float(test.usual_share[at])
    return _finding(
        "irregular_heartbeat",
        (test.charge_points[at], None),
        KINDS["irregular_heartbeat"].severity,
        float(test.e[at]),
        now - timedelta(days=2),
        f"{share:.0%} of its heartbeats come out of step, usually {usual:.0%}",
        (
            Evidence(what="share of heartbeats out of step, last two days", value=round(share, 3), expected=round(usual, 3)),
            _chance(float(test.e[at])),
        ),
    )


WORDS: dict[str, Callable[[Levels, int, Key], Finding]] = {
    "zero_energy": zero_energy,
    "failing_attempts": failing_attempts,
    "silent": silent,
    "power_derated": power_derated,
    "temperature_above_siblings": temperature_above_siblings,
    "irregular_meter_values": irregular_meter_values,
}
"""Kind → its finding about one row of the levels."""


def _finding(
    kind: str,
    key: tuple[str, str | None],
    severity: str,
    e: float,
    began_at: datetime,
    summary: str,
    evidence: tuple[Evidence, ...],
) -> Finding:
    return Finding(
        kind=kind,
        charge_point_id=key[0],
        connector=key[1],
        severity=severity,
        score=score(e),
        began_at=began_at,
        summary=summary,
        evidence=evidence,
        action=KINDS[kind].action,
    )


def score(e: float) -> float:
    """How sure, 0…1: with one true finding a month as the odds' other side, 1 / (1 + e)."""
    return 1.0 / (1.0 + max(e, 0.0))


def _chance(e: float) -> Evidence:
    return Evidence(
        what="findings as strong as this that chance alone makes, per connector and month",
        value=float(f"{e:.2g}"),
        unit="per month",
    )


def _sequences(column: np.ndarray) -> tuple[int, ...]:
    return tuple(sorted({int(each) for each in column if each > 0})[-MAX_SEQUENCES:])


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%MZ")


def _length(days: float) -> str:
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"
