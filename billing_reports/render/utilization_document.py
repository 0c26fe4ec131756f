"""The utilization report as a document. Decided here: what is shown, in which order, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing_reports.render import charts
from billing_reports.render.document import Block, Document, Heading, NewPage, Plot, Rows, Text, Tile, Tiles
from billing_reports.render.words import Words, words
from billing_reports.utilization import Use, UtilizationReport

MOST_ROWS = 60
MOST_BARS = 20
MOST_UNUSED = 120


def document(report: UtilizationReport, made_at: datetime, language: str = "en", name: str = "") -> Document:
    """`name`: of the network or the site that it is about."""
    say = words(language)
    zone = ZoneInfo(report.time_zone)
    first, last = report.start.astimezone(zone), report.end.astimezone(zone) - timedelta(microseconds=1)
    period = f"{say.day(first.date(), 'long')} – {say.day(last.date(), 'long')}"
    blocks: list[Block] = [
        Tiles(_first_tiles(report.network, say)),
        Tiles(_second_tiles(report.network, say)),
        *_charging(report.network, say),
        *_months(report, say),
        *_peak(report, say),
        NewPage(),
        *_groups(report, say),
        *_connectors(report, say),
        *_quality(report, say),
        Text(say("rule_text"), small=True),
    ]
    return Document(
        title=say("use_title"),
        subtitle=" · ".join(each for each in (name, period, report.time_zone) if each),
        made=say("made", at=say.moment(made_at, zone)),
        language=say.language,
        blocks=tuple(blocks),
    )


def _first_tiles(use: Use, say: Words) -> tuple[Tile, ...]:
    mean, median = use.energy_per_session_wh, use.energy_median_wh
    note = "" if mean is None or median is None else say("energy_note", mean=say.energy(mean), median=say.energy(median))
    return (
        Tile(say("energy"), say.energy(use.energy_wh), note),
        Tile(say("sessions"), say.number(use.sessions), say("sessions_note", median=say.duration(use.plugged_median_s))),
        Tile(say("occupied"), say.percent(use.occupied), say("occupied_note")),
        Tile(say("capacity"), say.percent(use.capacity_factor), say("capacity_note")),
    )


def _second_tiles(use: Use, say: Words) -> tuple[Tile, ...]:
    tiles = [
        Tile(say("connectors"), say.number(use.connectors)),
        Tile(say("per_day"), "–" if use.sessions_per_day is None else say.number(use.sessions_per_day, 2), say("per_day_note")),
        Tile(say("congestion"), say.percent(use.congestion), say("congestion_note")),
    ]
    if use.revenue:
        amounts = ", ".join(say.money(amount, currency) for currency, amount in sorted(use.revenue.items()))
        tiles.append(Tile(say("revenue"), amounts, say("revenue_note")))
    elif use.users is not None:
        tiles.append(Tile(say("users"), say.number(use.users), say("users_note")))
    return tuple(tiles)


def _charging(use: Use, say: Words) -> list[Block]:
    known, whole = say.number(use.charging_known), say.number(use.sessions)
    if use.charging is None:
        return [Text(say("no_charging", known=known, all=whole), small=True)]
    return [
        Tiles(
            (
                Tile(say("charging"), say.percent(use.charging), say("charging_note", known=known, all=whole)),
                Tile(say("idle"), say.percent(use.idle)),
            )
        )
    ]


def _months(report: UtilizationReport, say: Words) -> list[Block]:
    months = report.months
    labels = [say.month_short(each.month) for each in months]
    small = max((each.energy_wh for each in months), default=0) < 1e7
    energy = [each.energy_wh / (1e3 if small else 1e6) for each in months]
    occupied = [each.occupied for each in months]
    names = (say("energy_kwh_axis" if small else "energy_mwh"), say("occupied_pct"))
    title = say({7: "by_month", 10: "by_day"}.get(len(months[0].month), "by_hour")) if months else say("by_month")
    return [Heading(title), Plot(lambda: charts.months(labels, energy, occupied, names), 0.36, title)]


def _peak(report: UtilizationReport, say: Words) -> list[Block]:
    grid = report.grid
    if grid.peak_weekday is None or grid.peak_hour is None:
        return [Heading(say("peak")), Text(say("peak_none"))]
    share = grid.occupied[grid.peak_weekday][grid.peak_hour]
    text = say(
        "peak_text", weekday=say.weekdays()[grid.peak_weekday], hour=f"{grid.peak_hour:02}", next=f"{(grid.peak_hour + 1) % 24:02}",
        share=say.percent(share), zone=report.time_zone,
    )  # fmt: skip
    return [
        Heading(say("peak")),
        Text(text),
        Plot(lambda: charts.heat_map(grid.occupied, say.weekdays(), say("heat"), say("hour")), 0.34, text),
    ]


def _groups(report: UtilizationReport, say: Words) -> list[Block]:
    blocks: list[Block] = []
    if len(report.sites) > 1:
        blocks += [Heading(say("by_site")), _table(report.sites, say, say("site"), say("no_site"))]
    if len(report.models) > 1:
        blocks += [Heading(say("by_model")), _table(report.models, say, say("model"), say("no_model"))]
    return blocks


def _connectors(report: UtilizationReport, say: Words) -> list[Block]:
    used = {use.name: use.occupied for use in report.connectors if use.occupied}
    blocks: list[Block] = [Heading(say("top"))]
    if used:
        height = 0.07 + 0.031 * max(3, min(len(used), MOST_BARS))
        blocks.append(Plot(lambda: charts.ranking(used, say("top_axis"), MOST_BARS), height, say("top")))
    least = [use for use in report.connectors if use.sessions][-15:][::-1]
    if len(used) > MOST_BARS:
        blocks += [Heading(say("worst")), _table(least, say, say("connector"), "")]
    unused = report.network.unused
    blocks.append(Heading(say("unused")))
    if not unused:
        return [*blocks, Text(say("unused_none"))]
    blocks.append(Text(say("unused_text", count=say.number(len(unused)), all=say.number(report.network.connectors))))
    more = f" … (+{len(unused) - MOST_UNUSED})" if len(unused) > MOST_UNUSED else ""
    return [*blocks, Text(", ".join(unused[:MOST_UNUSED]) + more, small=True)]


def _table(uses: Sequence[Use], say: Words, kind: str, nameless: str) -> Rows:
    shown = sorted(uses, key=lambda use: -(use.occupied or 0.0))[:MOST_ROWS] if nameless else list(uses)[:MOST_ROWS]
    most = max((use.occupied or 0.0 for use in shown), default=0.0) or 1.0
    rows = tuple(
        (
            use.name or nameless,
            say.number(use.connectors),
            say.number(use.sessions),
            say.number(use.energy_wh / 1000),
            say.percent(use.occupied),
            say.percent(use.capacity_factor, 2),
            "–" if use.sessions_per_day is None else say.number(use.sessions_per_day, 2),
            "–" if use.energy_median_wh is None else say.number(use.energy_median_wh / 1000, 1),
            say.percent(use.low_energy / use.sessions if use.sessions else None),
        )
        for use in shown
    )
    head = (
        kind, say("connectors"), say("sessions"), "kWh", say("occupied"), say("capacity_short"), say("per_day_short"),
        f"{say('median_energy')}, kWh", say("low_share"),
    )  # fmt: skip
    widths, bar = (27, 14, 11, 12, 15, 10, 8, 10, 10), tuple((use.occupied or 0.0) / most for use in shown)
    if nameless:
        return Rows(head=head, rows=rows, align="lrrrrrrrr", widths=widths, bars={4: bar})
    single = tuple(row[:1] + row[2:] for row in rows)  # each of them is one connector
    return Rows(head=head[:1] + head[2:], rows=single, align="lrrrrrrr", widths=widths[:1] + widths[2:], bars={3: bar})


def _quality(report: UtilizationReport, say: Words) -> list[Block]:
    doubts = report.doubts
    blocks: list[Block] = [Heading(say("quality"))]
    whole = say.number(doubts.sessions)
    errors = sum(doubts.errors.values())
    if errors:
        blocks += [Text(say("quality_text", all=whole, errors=say.number(errors))), _doubts(doubts.errors, doubts.sessions, say)]
    else:
        blocks.append(Text(say("quality_good", all=whole)))
    if doubts.warnings:
        blocks += [Text(say("quality_warn")), _doubts(doubts.warnings, doubts.sessions, say)]
    return blocks


def _doubts(found: dict[str, int], whole: int, say: Words) -> Rows:
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple((say(word), say.number(count), say.percent(count / whole, 2)) for word, count in ordered)
    return Rows(head=(say("doubt"), say("count_one"), say("share")), rows=rows, align="lrr", widths=(60, 20, 20))
