"""Evidence as sentences. Decided here: how numbers are spelled, so that the reason of a halt can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, floor, isfinite, log10

from firmware_orchestrator.evidence.signals import DAY_US, INSTALL_SIGNALS, TABLE, Signal
from firmware_orchestrator.evidence.state import Peak

_NAMED = 5
_E_MAX = 700.0


def value(log_e: float) -> float:
    """e to the power of a log, within what a float can hold."""
    return exp(min(log_e, _E_MAX))


def spell(number: float) -> str:
    """An e-value: 0.04, 3.1, 31, 5,300, 10^9."""
    if not isfinite(number):
        return "unknown"
    if number >= 1e6:
        return f"10^{int(log10(number))}"
    if number >= 10:
        return f"{number:,.0f}"
    return f"{number:.2g}"


def spell_below(number: float) -> str:
    """One that has not reached its limit, rounded down, so that it never looks as if it had: 9.9 and not 10."""
    if not isfinite(number) or number < 1:
        return spell(number)
    return f"{floor(number * 10) / 10:g}" if number < 100 else f"{floor(number):,}"


def amount(number: float) -> str:
    """A plain quantity without trailing zeros: 20, 4.5."""
    return f"{number:.0f}" if number >= 10 or number == int(number) else f"{number:.2g}"


def exposure(microseconds: int, whose: str) -> str:
    """Time at risk: 9 canary days, 5 control hours, 12 canary minutes."""
    days = microseconds / DAY_US
    for size, unit in ((days, "day"), (days * 24, "hour"), (days * 1440, "minute")):
        if size >= 1 or unit == "minute":
            text = f"{size:,.0f}"
            return f"{text} {whose} {unit}{'' if text == '1' else 's'}"
    raise AssertionError("minutes take anything")


def counts(peak: Peak, wave: int) -> str:
    """offline episodes, 4 in 9 canary days against 11 in 190 control days."""
    label = TABLE[peak.signal].label
    if peak.signal in INSTALL_SIGNALS:
        return f"{label}, {peak.treated} of {peak.control}"
    treated = exposure(peak.treated_us, group(wave))
    return f"{label}, {peak.treated} in {treated} against {peak.control} in {exposure(peak.control_us, 'control')}"


def group(wave: int) -> str:
    """How the charge points with the new firmware are called."""
    return "canary" if wave == 0 else "new-firmware"


def named(ids: Sequence[str]) -> str:
    """A few names and how many more."""
    shown = ", ".join(sorted(ids)[:_NAMED])
    return shown if len(ids) <= _NAMED else f"{shown} and {len(ids) - _NAMED} more"


def plural(count: int, one: str) -> str:
    """1 charge point, 2 charge points."""
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def times_worse(ratio: float) -> str:
    """5 times worse."""
    return f"{amount(ratio)} times worse"


def hours(number: float) -> str:
    """A span for people: 40 minutes, 5 hours, 14 days."""
    if number < 1:
        return plural(max(0, round(number * 60)), "minute")
    return plural(round(number), "hour") if number < 48 else plural(round(number / 24), "day")


def signal_label(signal: Signal) -> str:
    """As in the table."""
    return TABLE[signal].label
