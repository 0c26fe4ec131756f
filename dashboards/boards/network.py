"""Board 1, the network wall: are drivers being served now? Meant for a screen of 1920 × 1080 that nobody touches.

Everything is asked of sums over models or of recorded series, never of single connectors.
"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import (
    BLUE,
    GREY,
    MARKS,
    ORANGE,
    RED,
    RELAYED,
    STATUS_COLOURS,
    UNUSABLE,
    YELLOW,
    ZERO_IS_BEST,
    ZERO_IS_GOOD,
    or_zero,
    share_colours,
)
from dashboards.spec import Board, Column, Kind, Panel, Query, Row, Unit

CONNECTORS = n.MODEL_CONNECTORS.name
POINTS, CONNECTED = n.MODEL_POINTS.name, n.MODEL_CONNECTED.name

USABLE = Panel(
    id=1,
    kind=Kind.STAT,
    title="Usable connectors",
    description="Share of all connectors that serve a driver or could: neither faulted, nor unavailable, nor unknown.",
    queries=(Query(f'sum({CONNECTORS}{{status!~"{UNUSABLE}"}}) / sum({CONNECTORS})'),),
    unit=Unit.RATIO,
    decimals=1,
    colours=share_colours(0.95, 0.97),
    width=4,
    height=5,
    spark=True,
    link=links.AVAILABILITY,
)
SUCCESS = Panel(
    id=4,
    kind=Kind.STAT,
    title="Charges that worked, 1 h",
    description="Share of drivers' attempts in the last hour that gave them energy. Refused tokens do not count.",
    queries=(Query("1 - network:chargewatch_attempts_failed:ratio_rate1h"),),
    unit=Unit.RATIO,
    decimals=1,
    colours=share_colours(0.90, 0.95),
    width=4,
    height=5,
    spark=True,
    link=links.SESSIONS,
)
OFFLINE = Panel(
    id=2,
    kind=Kind.STAT,
    title="Charge points offline",
    description="Charge points that we know and that are not connected now.",
    queries=(Query(f"sum({POINTS}) - sum({CONNECTED})"),),
    colours=ZERO_IS_BEST,
    width=4,
    height=5,
    spark=True,
    link=links.FLEET,
)
FAULTED = Panel(
    id=3,
    kind=Kind.STAT,
    title="Connectors faulted",
    description="Connectors that call themselves Faulted now.",
    queries=(Query(or_zero(f'sum({CONNECTORS}{{status="Faulted"}})', CONNECTORS)),),
    colours=ZERO_IS_GOOD,
    width=3,
    height=5,
    spark=True,
    link=links.CASES,
)
CHARGING = Panel(
    id=5,
    kind=Kind.STAT,
    title="Transactions running",
    description="Transactions that have begun and not ended.",
    queries=(Query(f"sum({n.MODEL_TRANSACTIONS.name})"),),
    colours=((None, BLUE),),
    width=3,
    height=5,
    spark=True,
)
POWER_NOW = Panel(
    id=6,
    kind=Kind.STAT,
    title="Power delivered",
    description="Power drawn by vehicles now, of all values that are fresh.",
    queries=(Query(f"sum({n.MODEL_POWER.name})"),),
    unit=Unit.WATT,
    decimals=1,
    colours=((None, BLUE),),
    width=3,
    height=5,
    spark=True,
    link=links.ENERGY,
)
PAGES = Panel(
    id=7,
    kind=Kind.STAT,
    title="Pages open",
    description="Alerts of severity critical that the relay holds open: each of them has called somebody.",
    queries=(Query(or_zero(f'sum({n.ALERTS_OPEN.name}{{severity="critical"}})', RELAYED)),),
    colours=ZERO_IS_GOOD,
    width=3,
    height=5,
    link=links.ALERTS,
)
BY_STATUS = Panel(
    id=8,
    kind=Kind.GRAPH,
    title="Connectors by status",
    description="All connectors, stacked: what serves drivers below, what serves nobody on top.",
    queries=tuple(Query(f'sum({CONNECTORS}{{status="{status}"}})', legend=status) for status, _ in STATUS_COLOURS),
    width=10,
    height=9,
    stacked=True,
    stepped=True,
    line_colours=STATUS_COLOURS,
)
POWER = Panel(
    id=9,
    kind=Kind.GRAPH,
    title="Power against last week",
    description="Power drawn by vehicles, and at the same time a week ago. A gap that no holiday explains is worth a look.",
    queries=(
        Query(f"sum({n.MODEL_POWER.name})", legend="now"),
        Query(f"sum({n.MODEL_POWER.name} offset 1w)", legend="a week ago"),
    ),
    unit=Unit.WATT,
    width=7,
    height=9,
    filled=0,
    line_colours=(("now", BLUE), ("a week ago", GREY)),
)
TRANSACTIONS = Panel(
    id=10,
    kind=Kind.GRAPH,
    title="Transactions against last week",
    description="Transactions that run, and at the same time a week ago.",
    queries=(
        Query(f"sum({n.MODEL_TRANSACTIONS.name})", legend="now"),
        Query(f"sum({n.MODEL_TRANSACTIONS.name} offset 1w)", legend="a week ago"),
    ),
    width=7,
    height=9,
    filled=0,
    line_colours=(("now", BLUE), ("a week ago", GREY)),
)
SITES = Panel(
    id=11,
    kind=Kind.TABLE,
    title="Sites in trouble",
    description="Sites by the share of their connectors that can serve nobody. A click opens one.",
    queries=(Query("topk(12, site:chargewatch_unusable:ratio > 0)"),),
    columns=(
        Column(field="site", title="Site", link=links.SITE),
        Column(
            field="Value",
            title="Unusable",
            unit=Unit.RATIO,
            decimals=0,
            colours=((None, YELLOW), (0.5, ORANGE), (0.999, RED)),
            bar=True,
            most=1,
        ),
    ),
    sort=("Unusable", True),
    nothing="every site can serve drivers",
    may_be_empty="every connector of every site is usable",
    width=9,
    height=11,
)
CASES = Panel(
    id=12,
    kind=Kind.BARS,
    title="What is wrong: open cases by kind",
    description="Unresolved cases by what they are about, without those that a wider case explains or planned work hides.",
    queries=(Query(f'topk(10, sum by (kind) ({n.CASES_OPEN.name}{{state!~"suppressed|masked"}}))', legend="{{kind}}"),),
    colours=((None, ORANGE),),
    least=0,
    nothing="no open case",
    may_be_empty="nothing is wrong",
    width=7,
    height=11,
    link=links.CASES,
)
MODELS = Panel(
    id=13,
    kind=Kind.TABLE,
    title="Models with faults",
    description="Models of which most connectors are faulted: a pattern over many sites points at hardware or firmware.",
    queries=(
        Query(
            f'topk(10, sum by (vendor, model) ({CONNECTORS}{{status="Faulted"}}) / sum by (vendor, model) ({CONNECTORS}))',
        ),
        Query(f'sum by (vendor, model) ({CONNECTORS}{{status="Faulted"}})'),
    ),
    columns=(
        Column(field="vendor", title="Vendor"),
        Column(field="model", title="Model"),
        Column(
            field="Value #A",
            title="Share faulted",
            unit=Unit.RATIO,
            decimals=1,
            colours=((None, YELLOW), (0.05, ORANGE), (0.2, RED)),
            bar=True,
            most=0.5,
        ),
        Column(field="Value #B", title="Faulted", width=90),
    ),
    sort=("Share faulted", True),
    nothing="no model has faults",
    may_be_empty="no connector is faulted",
    width=8,
    height=11,
)

BOARD = Board(
    uid=uids.NETWORK,
    title="1 · Network wall",
    question="Are drivers being served now?",
    rows=(
        Row((USABLE, SUCCESS, OFFLINE, FAULTED, CHARGING, POWER_NOW, PAGES)),
        Row((BY_STATUS, POWER, TRANSACTIONS)),
        Row((SITES, CASES, MODELS)),
    ),
    annotations=MARKS,
    since="now-6h",
    refresh="15s",
)
