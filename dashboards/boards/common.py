"""What the boards share: words and colours of a status, variables, marks, and short forms of panels. One look on every wall."""

from __future__ import annotations

from typing import TypedDict, Unpack

from chargenet.model.words import ConnectorStatus
from chargenet.observe import names as n
from dashboards import links
from dashboards.spec import Annotation, Colours, Column, Kind, Panel, Query, Unit, Variable, Words

GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE, GREY = "green", "yellow", "orange", "red", "blue", "purple", "#8e8e8e"

STATUSES: tuple[tuple[str, str], ...] = (
    (ConnectorStatus.AVAILABLE, "semi-dark-green"),
    (ConnectorStatus.PREPARING, "super-light-blue"),
    (ConnectorStatus.OCCUPIED, "light-blue"),
    (ConnectorStatus.CHARGING, "blue"),
    (ConnectorStatus.SUSPENDED_EV, "dark-blue"),
    (ConnectorStatus.SUSPENDED_EVSE, "yellow"),
    (ConnectorStatus.FINISHING, "light-purple"),
    (ConnectorStatus.RESERVED, "purple"),
    (ConnectorStatus.UNAVAILABLE, "orange"),
    (ConnectorStatus.FAULTED, "red"),
    (ConnectorStatus.UNKNOWN, GREY),
)
"""Every status and its colour, in the order in which they are stacked: what serves drivers first, what does not on top."""
STATUS_COLOURS = tuple((str(status), colour) for status, colour in STATUSES)
STATUS_WORDS = tuple((str(number), str(status), colour) for number, (status, colour) in enumerate(STATUSES, 1))
UNUSABLE = "Faulted|Unavailable|Unknown"
"""No driver can use a connector in one of these."""
JUDGED = f"{n.ALERTS_WORKING.name} == 1"
RELAYED = f"{n.RELAY_WORKING.name} == 1"
"""Witnesses for `or_zero`: no case and no alert means that all is well only while somebody looks."""

SITE = Variable(name="site", label="Site", query=f"label_values({n.SITE_POINTS.name}, site)")
CHARGE_POINT = Variable(
    name="charge_point", label="Charge point", query=f'label_values({n.POINT_CONNECTED.name}{{site="$site"}}, charge_point)'
)
CONNECTOR = Variable(
    name="connector",
    label="Connector",
    query=f'label_values({n.CONNECTOR_STATUS.name}{{site="$site", charge_point="$charge_point"}}, connector)',
)
WEB = Variable(name="web", label="chargewatch", default="http://localhost:8080")

FIRING = Annotation(
    name="Pages",
    query='sum by (alertname) (ALERTS{alertstate="firing", severity="critical"})',
    title="{{alertname}}",
    colour=RED,
)
ROLLING = Annotation(
    name="Rollouts",
    query=f'max by (rollout, version) ({n.ROLLOUT_STATE.name}{{state="running"}})',
    title="rollout {{rollout}}: {{version}}",
    colour=PURPLE,
)
PLANNED = Annotation(
    name="Planned work",
    query=f'sum by (kind) ({n.CASES_OPEN.name}{{state="masked"}})',
    title="planned work hides {{kind}}",
    colour=GREY,
)
MARKS = (FIRING, ROLLING, PLANNED)

ZERO_IS_GOOD: Colours = ((None, GREEN), (1, RED))
ZERO_IS_BEST: Colours = ((None, GREEN), (1, ORANGE))
UP: Colours = ((None, RED), (1, GREEN))
UP_WORDS = (("0", "no", RED), ("1", "yes", GREEN))


def share_colours(bad_below: float, good_from: float) -> Colours:
    """Red, yellow, green for a share that should be high."""
    return ((None, RED), (bad_below, YELLOW), (good_from, GREEN))


def or_zero(expression: str, witness: str) -> str:
    """PromQL: the expression, or 0 where it has no answer although its witness is there. Without the witness nothing is known."""
    return f"{expression} or sum({witness}) * 0"


def status_codes(selector: str) -> str:
    """PromQL: each connector's status as the number that STATUS_WORDS maps back to a word. `selector`: matchers without braces."""
    metric = n.CONNECTOR_STATUS.name
    terms = (f'{metric}{{{selector}, status="{status}"}} * {number}' for number, (status, _) in enumerate(STATUSES, 1))
    return "max by (charge_point, connector) (" + " or ".join(terms) + ")"


EVIDENCE = f"""Every frame of **$charge_point** with our answers, newest first:

```
chargewatch frames "$charge_point" --since 1h
```

or, with an API key, [{links.FRAMES}]({links.FRAMES}).
"""


class Look(TypedDict, total=False):
    """What may be said of a panel beyond its question; see `Panel`."""

    unit: Unit
    width: int
    height: int
    colours: Colours
    decimals: int
    least: float
    most: float
    words: Words
    nothing: str
    link: str
    stacked: bool
    filled: int
    line_colours: tuple[tuple[str, str], ...]
    second_axis: tuple[tuple[str, Unit], ...]
    threshold_lines: bool
    from_zero: bool
    stepped: bool
    joined_s: float | None
    spark: bool
    may_be_empty: str
    sort: tuple[str, bool]


def stat(id_: int, title: str, description: str, query: Query | str, **look: Unpack[Look]) -> Panel:
    """A figure, four columns wide unless said otherwise."""
    size: Look = {"width": 4, "height": 4}
    asked = Query(query) if isinstance(query, str) else query
    return Panel(id=id_, kind=Kind.STAT, title=title, description=description, queries=(asked,), **(size | look))


def graph(id_: int, title: str, description: str, *queries: Query, **look: Unpack[Look]) -> Panel:
    """Lines over time, a third of the board wide unless said otherwise."""
    size: Look = {"width": 8, "height": 8}
    return Panel(id=id_, kind=Kind.GRAPH, title=title, description=description, queries=queries, **(size | look))


def bars(id_: int, title: str, description: str, query: str, legend: str, **look: Unpack[Look]) -> Panel:
    """Now, one bar for each answer."""
    size: Look = {"width": 8, "height": 8, "least": 0.0}
    asked = Query(query, legend)
    return Panel(id=id_, kind=Kind.BARS, title=title, description=description, queries=(asked,), **(size | look))


def funnel(id_: int, title: str, description: str, *queries: Query) -> Panel:
    """Now, one bar for each query: what is left after each step."""
    return Panel(
        id=id_, kind=Kind.BARS, title=title, description=description, queries=queries, colours=((None, BLUE),), decimals=0,
        least=0.0,
        width=8, height=9,
    )  # fmt: skip


def table(
    id_: int, title: str, description: str, queries: tuple[Query | str, ...], columns: tuple[Column, ...], **look: Unpack[Look]
) -> Panel:
    """Rows of labels and values, now."""
    size: Look = {"width": 8, "height": 8}
    asked = tuple(Query(query) if isinstance(query, str) else query for query in queries)
    return Panel(id=id_, kind=Kind.TABLE, title=title, description=description, queries=asked, columns=columns, **(size | look))


def quantile(share: float, family: n.Family, by: str = "", *, hour: bool = False) -> str:
    """PromQL: a quantile of a histogram; `hour`: of the hour before, for what happens too rarely to have one of a few scrapes."""
    labels = f"le, {by}" if by else "le"
    counts = f"increase({family.name}_bucket[1h])" if hour else f"rate({family.name}_bucket[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({labels}) ({counts}))"
