"""The uptime report as a document. Decided here: what is shown, in which order, and in which words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from billing_reports.render import charts, theme
from billing_reports.render.document import Block, Document, Heading, NewPage, Plot, Rows, Text, Tile, Tiles
from billing_reports.render.words import Words, words
from billing_reports.uptime import CAUSES, REQUIRED, Outage, PortUptime, UptimePeriod
from billing_reports.uptime_report import UptimeReport

MOST_PORTS = 40
MOST_ROWS = 200
MOST_OUTAGES = 60


def document(report: UptimeReport, made_at: datetime, language: str = "en", name: str = "") -> Document:
    """`name`: of the network or the site that it is about."""
    say = words(language)
    zone = ZoneInfo(report.time_zone)
    months = (
        f"{say.month(report.months[0])} – {say.month(report.months[-1])}" if len(report.months) > 1 else say.month(report.months[0])
    )
    blocks: list[Block] = [
        Tiles(_tiles(report, say)),
        *_causes(report, say),
        *_ports(report, say),
        *_outages(report, say, zone),
        Text(say("up_rule"), small=True),
    ]
    return Document(
        title=say("up_title"),
        subtitle=" · ".join(each for each in (name, months, report.time_zone) if each),
        made=say("made", at=say.moment(made_at, zone)),
        language=say.language,
        blocks=tuple(blocks),
    )


def _tiles(report: UptimeReport, say: Words) -> tuple[Tile, ...]:
    last, year = report.network[-1], report.year
    below = len(report.below)
    return (
        Tile(say.month(report.months[-1]), say.percent(last.uptime, 2), say("up_network"), _tone(last)),
        Tile(say("up_year"), say.percent(year.uptime, 2), say("up_year_note", month=say.month(report.months[-1])), _tone(year)),
        Tile(
            say("up_below"), say.number(below), say("up_below_note", all=say.number(len(report.ports))), "bad" if below else "good"
        ),
        Tile(say("up_outage"), say.span(last.outage), say("up_outage_note", excluded=say.span(last.excluded))),
    )


def _tone(period: UptimePeriod) -> str:
    if period.uptime is None:
        return ""
    return "good" if period.uptime > REQUIRED else "bad"


def _causes(report: UptimeReport, say: Words) -> list[Block]:
    labels = [say.month_short(each.name) for each in report.network]
    names = {cause: say("cause_unknown" if cause == "unknown" else cause) for cause in CAUSES}
    parts = {names[cause]: [each.causes.get(cause, 0.0) / 60 for each in report.network] for cause in CAUSES}
    colours = {names[cause]: theme.CAUSES[cause] for cause in CAUSES}
    months = Rows(
        head=(say("month"), say("in_service"), say("outage"), say("excluded"), say("uptime")),
        rows=tuple(_month(each, label, say) for each, label in zip(report.network, labels, strict=True)),
        align="lrrrr",
        widths=(28, 18, 18, 18, 18),
        tones={(row, 4): _tone(each) for row, each in enumerate(report.network)},
    )
    return [
        Heading(say("causes")),
        Plot(lambda: charts.stacked(labels, parts, colours, say("hours")), 0.32, say("causes")),
        Heading(say("months_table")),
        months,
    ]


def _month(each: UptimePeriod, label: str, say: Words) -> tuple[str, ...]:
    spans = (say.span(value) for value in (each.in_service, each.outage, each.excluded))
    return (label, *spans, say.percent(each.uptime, 2))


def _ports(report: UptimeReport, say: Words) -> list[Block]:
    ports = sorted(report.ports, key=lambda each: (each.year.uptime if each.year.uptime is not None else -1.0, each.port.port_id))
    shown = ports[:MOST_PORTS]
    names, shares = [each.port.port_id for each in shown], [each.year.uptime for each in shown]
    rows = tuple(_port(each, say) for each in ports[:MOST_ROWS])
    tones = {(row, 5): _tone(each.year) for row, each in enumerate(ports[:MOST_ROWS])}
    table = Rows(
        head=(
            say("port"), say("site"), say("in_service"), say("outage"), say("excluded"), say("uptime"), say("literal"),
        ),
        rows=rows, align="llrrrrr", widths=(20, 20, 13, 12, 16, 13, 12), tones=tones,
    )  # fmt: skip
    if not shown:
        return [Heading(say("by_port")), Text(say("none"))]
    height = 0.08 + 0.03 * max(3, len(shown))
    return [
        NewPage(),
        Heading(say("by_port")),
        Plot(lambda: charts.uptime_bars(names, shares, REQUIRED, say("by_port_axis")), height, say("by_port_axis")),
        table,
    ]


def _port(each: PortUptime, say: Words) -> tuple[str, ...]:
    year = each.year
    spans = (say.span(value) for value in (year.in_service, year.outage, year.excluded))
    return (each.port.port_id, each.port.site, *spans, say.percent(year.uptime, 2), say.percent(year.literal, 2))


def _outages(report: UptimeReport, say: Words, zone: ZoneInfo) -> list[Block]:
    every = [(each, outage) for each in report.ports for outage in each.outages]
    every.sort(key=lambda pair: (-pair[1].minutes, pair[0].port.port_id))
    if not every:
        return [Heading(say("outages")), Text(say("none"))]
    blocks: list[Block] = [Heading(say("outages"))]
    if len(every) > MOST_OUTAGES:
        blocks.append(Text(say("outages_more", shown=say.number(MOST_OUTAGES), all=say.number(len(every))), small=True))
    rows = tuple(_outage(each, outage, say, zone) for each, outage in every[:MOST_OUTAGES])
    table = Rows(
        head=(say("port"), say("began"), say("ended"), say("minutes"), say("excluded"), say("cause"), say("evidence")),
        rows=rows, align="lllrrll", widths=(13, 15, 15, 10, 16, 13, 24),
    )  # fmt: skip
    return [*blocks, table]


def _outage(each: PortUptime, outage: Outage, say: Words, zone: ZoneInfo) -> tuple[str, ...]:
    causes = ", ".join(say("cause_unknown" if cause == "unknown" else cause) for cause in outage.causes)
    proof = [f"{say(part.reason)}: {part.evidence}" for part in outage.excluded]
    if outage.sequences:
        proof.append(say("records", list=", ".join(str(number) for number in outage.sequences[:5])))
    return (
        each.port.port_id,
        say.moment(outage.began_at, zone),
        say.moment(outage.ended_at, zone),
        say.number(outage.minutes, 1),
        say.number(outage.excluded_minutes, 1) if outage.excluded_minutes else "",
        causes,
        "; ".join(proof),
    )
