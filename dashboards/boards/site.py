"""Board 2, one site: what can it give to drivers now, and which charge point holds it back?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import (
    BLUE,
    GREEN,
    JUDGED,
    MARKS,
    RED,
    SITE,
    STATUS_COLOURS,
    STATUS_WORDS,
    UNUSABLE,
    UP,
    UP_WORDS,
    ZERO_IS_BEST,
    bars,
    or_zero,
    share_colours,
    stat,
    status_codes,
)
from dashboards.spec import Board, Column, Kind, Panel, Query, Row, Unit

HERE = 'site="$site"'
CONNECTORS = n.SITE_CONNECTORS.name
USABLE = or_zero(f'sum({CONNECTORS}{{{HERE}, status!~"{UNUSABLE}"}})', f"{CONNECTORS}{{{HERE}}}")


ROWS = (
    Row((
        stat(
            1, "Usable connectors", "Share of the site's connectors that can serve a driver or are serving one.",
            f'({USABLE}) / sum({CONNECTORS}{{{HERE}}})',
            unit=Unit.RATIO, decimals=0, colours=share_colours(0.8, 0.97), spark=True,
        ),
        stat(
            2, "Connected", "Charge points of this site that are connected now.",
            f"sum({n.SITE_CONNECTED.name}{{{HERE}}})", colours=((None, RED), (1, GREEN)), spark=True,
        ),
        stat(
            3, "Offline", "Charge points of this site that are not connected now.",
            f"sum({n.SITE_POINTS.name}{{{HERE}}}) - sum({n.SITE_CONNECTED.name}{{{HERE}}})", colours=ZERO_IS_BEST, spark=True,
        ),
        stat(
            4, "Transactions running", "Transactions that run at this site.",
            f"sum({n.SITE_TRANSACTIONS.name}{{{HERE}}})", colours=((None, BLUE),), spark=True,
        ),
        stat(
            5, "Power delivered", "Power drawn at this site now, of all values that are fresh.",
            f"sum({n.SITE_POWER.name}{{{HERE}}})", unit=Unit.WATT, decimals=1, colours=((None, BLUE),), spark=True,
        ),
        stat(
            6, "Open cases", "Cases at this site that somebody should hear of.",
            or_zero(f"count({n.CASE.name}{{{HERE}}})", JUDGED), colours=ZERO_IS_BEST,
        ),
    )),
    Row((
        Panel(
            id=7, kind=Kind.STATES, title="Every connector",
            description="The status of each connector of this site over time. No bar where the status is not known any more.",
            queries=(Query(status_codes(HERE), legend="{{charge_point}} · {{connector}}"),),
            unit=Unit.STATE, words=STATUS_WORDS, width=16, height=12,
        ),
        Panel(
            id=8, kind=Kind.GRAPH, title="Connectors by status",
            description="The same, counted.",
            queries=(Query(f"sum by (status) ({CONNECTORS}{{{HERE}}})", legend="{{status}}"),),
            stacked=True, stepped=True, line_colours=STATUS_COLOURS, width=8, height=12,
        ),
    )),
    Row((
        Panel(
            id=9, kind=Kind.TABLE, title="Charge points",
            description="Each charge point of this site: connected, when it was last heard of, what it is. A click opens it.",
            queries=(
                Query(f"max by (charge_point) ({n.POINT_CONNECTED.name}{{{HERE}}})"),
                Query(f"max by (charge_point) ({n.POINT_LAST_FRAME.name}{{{HERE}}}) * 1000"),
                Query(f"max by (charge_point, vendor, model, firmware) ({n.POINT_INFO.name}{{{HERE}}})"),
            ),
            columns=(
                Column(field="charge_point", title="Charge point", link=links.CHARGE_POINT_HERE),
                Column(field="Value #A", title="Connected", colours=UP, words=UP_WORDS, width=110),
                Column(field="Value #B", title="Last heard", unit=Unit.SINCE, width=160),
                Column(field="vendor", title="Vendor"),
                Column(field="model", title="Model"),
                Column(field="firmware", title="Firmware"),
            ),
            sort=("Connected", False), width=14, height=10,
        ),
        Panel(
            id=10, kind=Kind.TABLE, title="Open cases",
            description="What is wrong at this site, and how sure that is. A click opens the kind.",
            queries=(Query(f"sort_desc(max by (charge_point, connector, kind, severity) ({n.CASE.name}{{{HERE}}}))"),),
            columns=(
                Column(field="charge_point", title="Charge point", link=links.CHARGE_POINT_HERE),
                Column(field="connector", title="Connector", width=100),
                Column(field="kind", title="What", link=links.CASES_OF_KIND),
                Column(field="severity", title="Severity", width=90),
                Column(field="Value", title="Sure", unit=Unit.RATIO, decimals=0, width=80),
            ),
            sort=("Sure", True), nothing="no open case", may_be_empty="nothing is wrong at this site", width=10, height=10,
        ),
    )),
    Row((
        Panel(
            id=11, kind=Kind.GRAPH, title="Power by charge point",
            description="Power drawn at each charge point of this site.",
            queries=(Query(f"sum by (charge_point) ({n.CONNECTOR_POWER.name}{{{HERE}}})", legend="{{charge_point}}"),),
            unit=Unit.WATT, stacked=True, width=16, height=8,
            may_be_empty="nobody charges at this site",
        ),
        bars(
            12, "Diagnostics files",
            "Files that charge points uploaded in the chosen time range; not the first since the platform started.",
            f"sum by (charge_point) (increase({n.POINT_UPLOADS.name}{{{HERE}}}[$__range])) > 0", "{{charge_point}}",
            colours=((None, BLUE),), nothing="none", may_be_empty="none was uploaded in this time",
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.SITE,
    title="2 · Site",
    question="What can this site give to drivers now, and which charge point holds it back?",
    variables=(SITE,),
    rows=ROWS,
    annotations=MARKS,
)
