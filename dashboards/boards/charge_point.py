"""Board 3, one charge point: is it well, and what does it say?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import (
    BLUE,
    CHARGE_POINT,
    EVIDENCE,
    GREEN,
    JUDGED,
    MARKS,
    ORANGE,
    RED,
    SITE,
    STATUS_WORDS,
    UP,
    UP_WORDS,
    WEB,
    ZERO_IS_BEST,
    or_zero,
    status_codes,
)
from dashboards.spec import INFLUX, Board, Column, Kind, Panel, Query, Row, Unit

HERE = 'site="$site", charge_point="$charge_point"'
IN_INFLUX = "\"charge_point\" = '$charge_point' AND $timeFilter"
KNOWN = f"{n.POINT_CONNECTED.name}{{{HERE}}}"

ROWS = (
    Row((
        Panel(
            id=1, kind=Kind.STAT, title="Connected", description="Whether the charge point is connected now.",
            queries=(Query(f"max({n.POINT_CONNECTED.name}{{{HERE}}})"),), colours=UP, words=UP_WORDS, width=4, height=4,
        ),
        Panel(
            id=2, kind=Kind.STAT, title="Last heard",
            description="Time since its last frame, of whatever kind. Red from three heartbeat intervals of five minutes.",
            queries=(Query(f"time() - max({n.POINT_LAST_FRAME.name}{{{HERE}}})"),),
            unit=Unit.SECONDS, decimals=0, colours=((None, GREEN), (360, ORANGE), (900, RED)), width=4, height=4,
        ),
        Panel(
            id=3, kind=Kind.STAT, title="Boots in this time",
            description="Boot notifications in the chosen time range. More than two are a loop, unless somebody reset it.",
            queries=(Query(or_zero(f"sum(increase({n.POINT_BOOTS.name}{{{HERE}}}[$__range]))", KNOWN)),),
            decimals=0, colours=((None, GREEN), (2.5, ORANGE), (5.5, RED)), width=4, height=4,
        ),
        Panel(
            id=4, kind=Kind.STAT, title="Power delivered", description="Power drawn at all its connectors.",
            queries=(Query(or_zero(f"sum({n.CONNECTOR_POWER.name}{{{HERE}}})", KNOWN)),),
            unit=Unit.WATT, decimals=1, colours=((None, BLUE),), width=4, height=4, spark=True,
        ),
        Panel(
            id=5, kind=Kind.STAT, title="Open cases", description="Cases about this charge point that somebody should hear of.",
            queries=(Query(or_zero(f"count({n.CASE.name}{{{HERE}}})", JUDGED)),), colours=ZERO_IS_BEST, width=4, height=4,
        ),
        Panel(
            id=6, kind=Kind.STAT, title="Security events",
            description="Security events that it reported in the chosen time range, from the telemetry store.",
            queries=(Query(f'SELECT count("value") FROM "security" WHERE {IN_INFLUX} LIMIT 1', source=INFLUX),),
            decimals=0, colours=ZERO_IS_BEST, nothing="none", may_be_empty="it reported none", width=4, height=4,
        ),
    )),
    Row((
        Panel(
            id=7, kind=Kind.STATES, title="Connectors", description="The status of each connector over time.",
            queries=(Query(status_codes(HERE), legend="connector {{connector}}"),),
            unit=Unit.STATE, words=STATUS_WORDS, width=16, height=8,
        ),
        Panel(
            id=8, kind=Kind.TABLE, title="Connectors now",
            description="What each connector says now, the error with it, and when it was last heard of. A click opens it.",
            queries=(
                Query(f"max by (connector, status) ({n.CONNECTOR_STATUS.name}{{{HERE}}})"),
                Query(f"max by (connector) ({n.CONNECTOR_LAST_SEEN.name}{{{HERE}}}) * 1000"),
            ),
            columns=(
                Column(field="connector", title="Connector", link=links.CONNECTOR_HERE, width=110),
                Column(field="status", title="Status"),
                Column(field="Value #B", title="Last heard", unit=Unit.SINCE),
            ),
            sort=("Connector", False), width=8, height=8,
        ),
    )),
    Row((
        Panel(
            id=9, kind=Kind.GRAPH, title="Power by connector",
            description="Mean power drawn at each connector, from the telemetry store.",
            queries=(
                Query(
                    f'SELECT mean("power_active_import_w") FROM "meter" WHERE {IN_INFLUX} '
                    'GROUP BY time($__interval), "connector" fill(null)',
                    legend="connector $tag_connector", source=INFLUX,
                ),
            ),
            unit=Unit.WATT, width=12, height=8, may_be_empty="nobody charged in this time",
        ),
        Panel(
            id=10, kind=Kind.GRAPH, title="Silence between frames",
            description="Time since the last frame: a saw whose teeth are as high as the heartbeat interval. A tooth that "
            "keeps growing is a charge point that fell silent.",
            queries=(Query(f"time() - max({n.POINT_LAST_FRAME.name}{{{HERE}}})", legend="silence"),),
            unit=Unit.SECONDS, width=12, height=8,
        ),
    )),
    Row((
        Panel(
            id=11, kind=Kind.TABLE, title="Connections",
            description="When it connected and when it was lost, newest first, from the telemetry store.",
            queries=(
                Query(
                    f'SELECT "value", "detail" FROM "connection" WHERE {IN_INFLUX} ORDER BY time DESC LIMIT 50', source=INFLUX
                ),
            ),
            columns=(
                Column(field="Time", title="When", width=180),
                Column(field="value", title="What", width=110),
                Column(field="detail", title="Detail"),
            ),
            sort=("When", True), width=8, height=9, nothing="no change", may_be_empty="its connection held",
        ),
        Panel(
            id=12, kind=Kind.TABLE, title="Errors and faults",
            description="Errors as the charge point reported them, newest first, from the telemetry store.",
            queries=(
                Query(
                    f'SELECT "connector", "value", "detail" FROM "error" WHERE {IN_INFLUX} ORDER BY time DESC LIMIT 50',
                    source=INFLUX,
                ),
            ),
            columns=(
                Column(field="Time", title="When", width=180),
                Column(field="connector", title="Connector", width=100),
                Column(field="value", title="Error", width=170),
                Column(field="detail", title="Detail"),
            ),
            sort=("When", True), width=8, height=9, nothing="no error", may_be_empty="it reported none",
        ),
        Panel(
            id=13, kind=Kind.TABLE, title="What it is",
            description="Vendor, model, firmware and protocol, as it said when it booted and connected.",
            queries=(Query(f"max by (vendor, model, firmware, protocol) ({n.POINT_INFO.name}{{{HERE}}})"),),
            columns=(
                Column(field="vendor", title="Vendor"),
                Column(field="model", title="Model"),
                Column(field="firmware", title="Firmware"),
                Column(field="protocol", title="Protocol"),
            ),
            width=8, height=9,
        ),
    )),
    Row((
        Panel(
            id=14, kind=Kind.TEXT, title="The evidence",
            description="How to read the frames behind these pictures.", text=EVIDENCE, width=24, height=4,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.CHARGE_POINT,
    title="3 · Charge point",
    question="Is this charge point well, and what does it say?",
    variables=(SITE, CHARGE_POINT, WEB),
    rows=ROWS,
    annotations=MARKS,
)
