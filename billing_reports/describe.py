"""Restrictions in words. Decided here: how a breakdown and a linter name an element to a person."""

from __future__ import annotations

from billing_reports.tariff import DayOfWeek, ReservationRestriction, Restrictions

_WORDS = {
    ReservationRestriction.RESERVATION: "while reserved",
    ReservationRestriction.RESERVATION_EXPIRES: "when a reservation expires",
}
_ORDER = {day: index for index, day in enumerate(DayOfWeek)}


def describe(element: int, restrictions: Restrictions) -> str:
    """`element 2: from 17:00 to 20:00, on Mon–Fri`; `element 0` when it applies always."""
    words = ", ".join(conditions(restrictions))
    return f"element {element}: {words}" if words else f"element {element}"


def conditions(restrictions: Restrictions) -> list[str]:
    """One phrase for each condition."""
    each = restrictions
    found = [
        _span("from", each.start_time, "to", each.end_time),
        _days(each.day_of_week),
        _span("from", each.start_date, "before", each.end_date),
        _span("from", each.min_kwh, "below", each.max_kwh, " kWh"),
        _span("from", each.min_current, "below", each.max_current, " A"),
        _span("from", each.min_power, "below", each.max_power, " kW"),
        _span("from", each.min_duration, "before", each.max_duration, " s after the start"),
        _WORDS[each.reservation] if each.reservation else "",
    ]
    return [phrase for phrase in found if phrase]


def _span(low_word: str, low: object, high_word: str, high: object, unit: str = "") -> str:
    lower = "" if low is None else f"{low_word} {low}"
    upper = "" if high is None else f"{high_word} {high}"
    words = " ".join(part for part in (lower, upper) if part)
    return f"{words}{unit}" if words else ""


def _days(days: tuple[DayOfWeek, ...]) -> str:
    if not days:
        return ""
    numbers = sorted({_ORDER[day] for day in days})
    names = [day.title()[:3] for day in DayOfWeek]
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return "on " + ", ".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}" for run in runs)
