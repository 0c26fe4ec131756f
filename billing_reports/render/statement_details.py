"""The pages of a statement that take its amounts apart: registers, periods, prices, rules, signed values."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, PageBreak, Paragraph, Spacer, Table, TableStyle

from billing_reports.cdr import Cdr, PricedLine, SignedReading
from billing_reports.money import minor_units
from billing_reports.render import theme
from billing_reports.render.pages import WIDTH, escaped, style
from billing_reports.render.rules_de import doubt, rule
from billing_reports.render.theme import BOLD, MONO, REGULAR, colour
from billing_reports.render.words import Words
from billing_reports.signed import INVALID, UNVERIFIED
from billing_reports.statement import Statement, StatementLine
from billing_reports.tariff import Dimension

MOST_CHARACTERS = 6000
"""Of one signed value on paper; more is in the JSON."""
PLACES = 4
MOST_RULE = 40
"""Characters that fit on one line."""


def details(statement: Statement, say: Words) -> list[Flowable]:
    """Nothing where the statement carries no CDRs."""
    lines = {line.cdr_id: line for line in reversed(statement.lines) if line.cdr is not None}
    if not lines:
        return []
    zone = ZoneInfo(statement.time_zone)
    made: list[Flowable] = [PageBreak(), *_title(say("st_details"), say("st_details_text"))]
    for line in reversed(lines.values()):
        assert line.cdr is not None
        made += _session(line, line.cdr, zone, say)
    signed = [(line, each) for line in reversed(lines.values()) if line.cdr is not None for each in line.cdr.signed]
    if signed:
        made += [Spacer(1, 4 * mm), *_title(say("st_signed"), say("st_signed_text"))]
        for line, each in signed:
            made += _signed(line, each, say)
    return made


def _title(text: str, below: str) -> list[Flowable]:
    return [
        Paragraph(escaped(text), style("d1", 12, 16, font=BOLD, ink=theme.ACCENT)),
        Paragraph(escaped(below), style("d2", 7.6, 10.6, ink=theme.MUTED)),
        Spacer(1, 2.5 * mm),
    ]


def _session(line: StatementLine, cdr: Cdr, zone: ZoneInfo, say: Words) -> list[Flowable]:
    head = say("st_session", number=line.number, when=say.moment(cdr.started_at, zone))
    priced, money = cdr.priced, cdr.currency
    keys = ("st_from", "st_to", "st_counts", "st_measured", "st_billed", "st_price", "st_cost", "st_rule")
    long_text = style("dc", 6.8, 8.8)
    data: list[list[Any]] = [[say(key) for key in keys]]
    for period in priced.periods:
        times = (_time(period.start_at, zone), _time(period.end_at, zone))
        for priced_line in period.lines:
            if priced_line.price is not None or priced_line.dimension is not Dimension.TIME:
                data.append([*times, *_line(priced_line, cdr, say)])
                times = ("", "")
    data += [
        ["", "", say("st_adjustment"), "", "", "", say.number(each.before_taxes, PLACES), rule(each.rule, None, cdr, say)]
        for each in priced.adjustments
    ]
    for row in data[1:]:
        if len(row[-1]) > MOST_RULE:
            row[-1] = Paragraph(escaped(row[-1]), long_text)
    table = Table(data, colWidths=[WIDTH * share for share in (0.085, 0.085, 0.095, 0.115, 0.115, 0.125, 0.1, 0.28)], repeatRows=1)
    table.setStyle(_grid())
    cost = priced.totals.cost
    amounts = [say.money(amount, money, max(minor_units(money), PLACES)) for amount in (cost.before_taxes, cost.after_taxes)]
    return [
        CondPageBreak(32 * mm),
        Paragraph(escaped(head), style("ds", 8.6, 11.6, font=BOLD)),
        Paragraph(escaped(_origin(cdr, say)), style("do", 6.9, 9.2, ink=theme.MUTED)),
        Spacer(1, 1 * mm),
        table,
        Paragraph(escaped(say("st_sum", net=amounts[0], gross=amounts[1])), style("dt", 7.4, 10, alignment=TA_RIGHT)),
        Spacer(1, 4 * mm),
    ]


def _origin(cdr: Cdr, say: Words) -> str:
    """Registers, records, tariff: where the figures come from."""
    trace = cdr.trace
    start, stop = trace.start_register_wh, trace.stop_register_wh
    known = start is not None and stop is not None
    register = say("st_register", start=say.kwh(start or 0), end=say.kwh(stop or 0)) if known else say("st_register_unknown")
    parts = [f"CDR {cdr.id}", register]
    if trace.first_sequence is not None and trace.last_sequence is not None:
        parts.append(say("st_record", first=trace.first_sequence, last=trace.last_sequence))
    parts.append(say("st_tariff", tariff=cdr.tariff.id))
    if cdr.meter_id:
        parts.append(say("st_meter", meter=cdr.meter_id))
    verdicts = dict.fromkeys(_verdict(each, say) for each in cdr.signed)
    parts += [say("st_signed_of", verdict=each) for each in verdicts]
    if cdr.estimated:
        parts.append(say("st_estimated"))
    return " · ".join(parts)


def _line(line: PricedLine, cdr: Cdr, say: Words) -> tuple[str, ...]:
    currency = cdr.currency
    unit = {Dimension.ENERGY: say("st_per_kwh"), Dimension.FLAT: ""}.get(line.dimension, say("st_per_h"))
    price = "–" if line.price is None else f"{say.number(line.price, _decimals(line.price, currency))} {currency}{unit}"
    return (
        say(f"st_{line.dimension}"),
        _volume(line, line.measured, say),
        _volume(line, line.billed, say),
        price,
        say.number(line.before_taxes, PLACES),
        rule(line.rule, line.element, cdr, say),
    )


def _decimals(price: Decimal, currency: str) -> int:
    exponent = price.normalize().as_tuple().exponent
    return max(minor_units(currency), -exponent if isinstance(exponent, int) else 0)


def _volume(line: PricedLine, amount: Decimal, say: Words) -> str:
    if line.dimension is Dimension.FLAT:
        return ""
    if line.dimension is Dimension.ENERGY:
        return f"{say.number(amount / 1000, 3)} kWh"
    seconds = int(amount)
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02} h"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}"


def _grid() -> TableStyle:
    return TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), REGULAR, 6.8, 8.8),
            ("TEXTCOLOR", (0, 0), (-1, -1), colour(theme.INK)),
            ("TEXTCOLOR", (0, 0), (-1, 0), colour(theme.MUTED)),
            ("ALIGN", (3, 0), (6, -1), "RIGHT"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.6, colour(theme.INK)),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, colour(theme.FAINT)),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 1 * mm),
            ("RIGHTPADDING", (0, 0), (-1, -1), 1 * mm),
            ("TOPPADDING", (0, 0), (-1, -1), 0.6 * mm),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6 * mm),
        ]
    )


def _verdict(reading: SignedReading, say: Words) -> str:
    """What was found, and by whose key."""
    return say(f"st_{reading.verdict}_{reading.key_source}")


def _signed(line: StatementLine, reading: SignedReading, say: Words) -> list[Flowable]:
    verdict = _verdict(reading, say)
    head = " · ".join(
        each for each in (say("st_session", number=line.number, when=reading.encoding), reading.context or "", verdict) if each
    )
    key = f"{say('st_key')}: {reading.public_key}" if reading.public_key else say("st_no_key")
    text = reading.payload[:MOST_CHARACTERS]
    more = len(reading.payload) - len(text)
    mono = style("sm", 5.8, 7.6, font=MONO, wordWrap="CJK", backColor=colour(theme.WASH), borderPadding=3)
    doubted = doubt(reading.reason, say) if reading.verdict == UNVERIFIED and reading.reason else None
    why = [Paragraph(escaped(doubted), style("sw", 6.9, 9.2, ink=theme.MUTED))] if doubted else []
    rest = [Paragraph(escaped(say("st_more", count=more)), style("sr", 6.9, 9.2, ink=theme.MUTED))] if more else []
    return [
        CondPageBreak(24 * mm),
        Paragraph(escaped(head), style("sh", 7.6, 10.4, font=BOLD, ink=theme.BAD if reading.verdict == INVALID else theme.INK)),
        *why,
        Spacer(1, 1.4 * mm),
        Paragraph(escaped(text), mono),
        Spacer(1, 1.6 * mm),
        *rest,
        Paragraph(escaped(key), style("sk", 5.8, 7.6, font=MONO, wordWrap="CJK", ink=theme.MUTED)),
        Spacer(1, 3.5 * mm),
    ]
