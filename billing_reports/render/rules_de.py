"""Rules of prices in German. Decided here: how what a CDR says in English is told to a reader of German.

A CDR keeps its rules as `describe`, `compiled` and `breakdown` wrote them, and is never edited. The element's restrictions are in
the tariff that the CDR carries, so they are told anew from there; what follows the element (price series, steps) and the limits are
read from the words. A rule in words that are not known here stays as it is: English beats a wrong translation.
"""

from __future__ import annotations

import re
from decimal import Decimal

from billing_reports.cdr import Cdr
from billing_reports.describe import describe
from billing_reports.render.words import Words
from billing_reports.signed import NO_KEY
from billing_reports.tariff import DayOfWeek, ReservationRestriction, Restrictions, Tariff

_AFTER = re.compile(r"(?:; price series (?P<series>.+?))?(?:; in steps of (?P<step>\d+) (?P<unit>Wh|s))?")
_LIMIT = re.compile(
    r"(?P<what>minimum charge|price cap|cap on parking) (?P<net>-?[\d.]+) (?P<currency>[A-Z]{3}) before"
    r"(?: taxes|, (?P<gross>-?[\d.]+) [A-Z]{3} after taxes)"
)
_LIMITS = {"minimum charge": "Mindestpreis", "price cap": "Höchstpreis", "cap on parking": "Höchstpreis für das Stehen"}
_WHOLE = {
    "free: idle grace": "frei: Karenz nach dem Laden",
    "free vend: nothing is charged here": "freies Laden: hier wird nichts berechnet",
    NO_KEY: "kein öffentlicher Schlüssel dieses Zählers ist bekannt",
}
_FREE = "free: no element prices "
_ONLY_OCMF = " is kept as it came; only OCMF is verified here"
_NOT_VERIFIED = "cannot be verified: "
_RESERVED = {
    ReservationRestriction.RESERVATION: "solange reserviert ist",
    ReservationRestriction.RESERVATION_EXPIRES: "wenn eine Reservierung verfällt",
}


def rule(text: str, element: int | None, cdr: Cdr, say: Words) -> str:
    """The rule of a line or an adjustment in the language of `say`. `element`: that of the line, None where it has none."""
    if say.language != "de":
        return text
    if element is not None:
        return _of_element(text, element, cdr.tariff, say)
    if text.startswith(_FREE):
        return f"frei: kein Element hat dafür einen Preis ({say(f'st_{text.removeprefix(_FREE)}')})"
    found = _LIMIT.fullmatch(text)
    return _WHOLE.get(text, text) if found is None else _limit(found, say)


def doubt(text: str, say: Words) -> str:
    """Why a signed value could not be verified."""
    if say.language != "de":
        return text
    if text.endswith(_ONLY_OCMF):
        return f"{text.removesuffix(_ONLY_OCMF)} ist aufbewahrt, wie es kam; geprüft wird hier nur OCMF"
    if text.startswith(_NOT_VERIFIED):
        return f"nicht prüfbar: {text.removeprefix(_NOT_VERIFIED)}"
    return _WHOLE.get(text, text)


def _of_element(text: str, element: int, tariff: Tariff, say: Words) -> str:
    if element >= len(tariff.elements):
        return text
    restrictions = tariff.elements[element].restrictions
    stem = describe(element, restrictions)
    rest = _AFTER.fullmatch(text[len(stem) :]) if text.startswith(stem) else None
    if rest is None:
        return text
    words = ", ".join(conditions(restrictions, say))
    told = f"Element {element}: {words}" if words else f"Element {element}"
    series = "" if rest["series"] is None else f"; Preisreihe {rest['series']}"
    steps = "" if rest["step"] is None else f"; in Schritten von {say.number(int(rest['step']))} {rest['unit']}"
    return told + series + steps


def _limit(found: re.Match[str], say: Words) -> str:
    def amount(text: str) -> str:
        return f"{_number(Decimal(text), say, 2)} {found['currency']}"

    after = "" if found["gross"] is None else f", {amount(found['gross'])} mit Steuern"
    return f"{_LIMITS[found['what']]} {amount(found['net'])} vor Steuern{after}"


def conditions(restrictions: Restrictions, say: Words) -> list[str]:
    """One phrase for each condition, as `describe.conditions` has them."""
    each = restrictions
    days = [None if day is None else _day(day) for day in (each.start_date, each.end_date)]
    found = [
        _span("von" if each.end_time else "ab", each.start_time, "bis", each.end_time, " Uhr"),
        _days(each.day_of_week, say),
        _span("ab", days[0], "vor", days[1]),
        _span("ab", _amount(each.min_kwh, say), "unter", _amount(each.max_kwh, say), " kWh"),
        _span("ab", _amount(each.min_current, say), "unter", _amount(each.max_current, say), " A"),
        _span("ab", _amount(each.min_power, say), "unter", _amount(each.max_power, say), " kW"),
        _span("ab", _amount(each.min_duration, say), "vor", _amount(each.max_duration, say), " s nach Beginn"),
        _RESERVED[each.reservation] if each.reservation else "",
    ]
    return [phrase for phrase in found if phrase]


def _span(low_word: str, low: str | None, high_word: str, high: str | None, unit: str = "") -> str:
    parts = [f"{word} {value}" for word, value in ((low_word, low), (high_word, high)) if value is not None]
    return f"{' '.join(parts)}{unit}" if parts else ""


def _day(text: str) -> str:
    """2026-03-01 → 01.03.2026."""
    return ".".join(reversed(text.split("-")))


def _amount(value: Decimal | int | None, say: Words) -> str | None:
    return None if value is None else _number(Decimal(value), say, 0)


def _number(value: Decimal, say: Words, least: int) -> str:
    """All decimals that matter, and at least `least`."""
    exponent = value.normalize().as_tuple().exponent
    return say.number(value, max(least, -exponent if isinstance(exponent, int) else 0))


def _days(days: tuple[DayOfWeek, ...], say: Words) -> str:
    if not days:
        return ""
    order, names = list(DayOfWeek), say.weekdays()
    runs: list[list[int]] = []
    for number in sorted({order.index(day) for day in days}):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}" for run in runs)
