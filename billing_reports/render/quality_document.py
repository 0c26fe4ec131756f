"""The session quality report (ChargeX indicators) as a document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from billing_reports.formats import QualityReport
from billing_reports.kpi import KpiCount
from billing_reports.render.document import Block, Document, Heading, Rows, Text, Tile, Tiles
from billing_reports.render.words import Words, words

MOST_ROWS = 40


def document(report: QualityReport, made_at: datetime, language: str = "en", name: str = "") -> Document:
    """`name`: of the network or the site that it is about."""
    say, zone = words(language), ZoneInfo(report.time_zone)
    period = f"{say.day(report.start.astimezone(zone).date())} – {say.day(report.end.astimezone(zone).date())}"
    blocks: list[Block] = [Tiles(_tiles(report.network, say)), *_worst(report.points, say), Text(say("kpi_rule"), small=True)]
    return Document(
        title=say("kpi_title"),
        subtitle=" · ".join(each for each in (name, period, report.time_zone) if each),
        made=say("made", at=say.moment(made_at, zone)),
        language=say.language,
        blocks=tuple(blocks),
    )


def _tiles(count: KpiCount, say: Words) -> tuple[Tile, ...]:
    attempts, deliveries, valid = say.number(count.start_attempts), say.number(count.deliveries), say.number(count.valid_stops)
    median, late = count.start_time_s(0.5), count.start_time_s(0.95)
    return (
        Tile(say("kpi_start"), say.percent(count.start_success), say("kpi_start_note", part=deliveries, whole=attempts)),
        Tile(say("kpi_end"), say.percent(count.end_success), say("kpi_end_note", part=valid, whole=deliveries)),
        Tile(say("kpi_session"), say.percent(count.session_success), say("kpi_session_note")),
        Tile(
            say("kpi_time"), "–" if median is None else f"{say.number(median, 0)} s",
            "" if late is None else say("kpi_time_note", p95=say.number(late, 0)),
        ),
    )  # fmt: skip


def _worst(points: Mapping[str, KpiCount], say: Words) -> list[Block]:
    tried = [(name, count) for name, count in points.items() if count.start_attempts]
    tried.sort(key=lambda item: (item[1].session_success or 0.0, -item[1].start_attempts, item[0]))
    rows = tuple(
        (
            name, say.number(count.start_attempts), say.number(count.deliveries), say.number(count.valid_stops),
            say.percent(count.start_success), say.percent(count.end_success), say.percent(count.session_success),
        )
        for name, count in tried[:MOST_ROWS]
    )  # fmt: skip
    if not rows:
        return [Heading(say("kpi_worst")), Text(say("none"))]
    head = (
        say("port"), say("attempts"), say("deliveries"), say("valid"), say("kpi_start"), say("kpi_end"), say("kpi_session"),
    )  # fmt: skip
    bars = {6: tuple(count.session_success or 0.0 for _, count in tried[:MOST_ROWS])}
    return [Heading(say("kpi_worst")), Rows(head=head, rows=rows, align="lrrrrrr", widths=(22, 11, 11, 13, 14, 14, 18), bars=bars)]
