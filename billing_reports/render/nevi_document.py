"""The authority's report as a document. Decided here: what is shown before the uptime report, which it contains whole."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.nevi import NeviReport
from billing_reports.render import uptime_document
from billing_reports.render.document import Block, Document, Heading, Rows, Text, Tile, Tiles
from billing_reports.render.words import words

MOST_PORTS = 200


def document(report: NeviReport, made_at: datetime, language: str = "en", name: str = "") -> Document:
    """Sessions by port, then uptime and outages."""
    say = words(language)
    uptime = uptime_document.document(report.uptime, made_at, language, name)
    count, failed = sum(each.sessions for each in report.ports), sum(each.failed for each in report.ports)
    energy = sum(each.energy_wh for each in report.ports)
    year, month = report.uptime.year, report.uptime.network[-1]
    below = bool(report.uptime.below)
    tiles = (
        Tile(say("nv_sessions"), say.number(count), say("nv_sessions_note", failed=say.number(failed))),
        Tile(say("nv_energy"), f"{say.number(energy / 1000, 1)} kWh", say("nv_energy_note", ports=say.number(len(report.ports)))),
        Tile(say.month(report.uptime.months[-1]), say.percent(month.uptime, 2), say("up_network")),
        Tile(
            say("up_year"), say.percent(year.uptime, 2), say("nv_below", below=say.number(len(report.uptime.below))),
            "" if year.uptime is None else "bad" if below else "good",
        ),
    )  # fmt: skip
    rows = tuple(
        (each.station_id, each.port_id, say.number(each.sessions), say.number(each.failed), say.number(each.energy_wh / 1000, 1))
        for each in report.ports[:MOST_PORTS]
    )
    head = (say("nv_station"), say("port"), say("nv_sessions"), say("nv_failed"), "kWh")
    table: Block = Rows(head=head, rows=rows, align="llrrr", widths=(28, 28, 14, 14, 16)) if rows else Text(say("none"))
    blocks: tuple[Block, ...] = (Tiles(tiles), Heading(say("nv_by_port")), table, Text(say("nv_rule"), small=True))
    rest = tuple(each for each in uptime.blocks if not isinstance(each, Tiles))
    days = f"{say.day(report.first_day, 'long')} – {say.day(report.last_day, 'long')}"
    subtitle = " · ".join(each for each in dict.fromkeys((name, report.provider, days, report.time_zone)) if each)
    made = say("made", at=say.moment(made_at, ZoneInfo(report.time_zone)))
    return msgspec.structs.replace(
        uptime, title=say("nv_title") + _shown(report.period), subtitle=subtitle, made=made, blocks=(*blocks, *rest)
    )


def _shown(period: str) -> str:
    """`, Q1 2026` of a quarter; days stand in the line below."""
    year, _, quarter = period.partition("-Q")
    return f", Q{quarter} {year}" if quarter else ""
