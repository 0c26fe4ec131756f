"""Board 11, availability: what share of the time could drivers be served, is the objective kept, and where is it lost?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import GREEN, GREY, MARKS, ORANGE, RED, YELLOW, graph, share_colours, stat, table
from dashboards.rules import RuleConfig
from dashboards.spec import Board, Column, Query, Row, Unit

BUDGET = RuleConfig().usable.budget
UNUSABLE = "network:chargewatch_unusable:ratio"
SECONDS = "network:chargewatch_window_connector_seconds:sum"
AVAILABLE = "site:chargewatch_window_available:ratio"
LOST = "faulted|unavailable|offline|unknown"


def up(window: str) -> str:
    """Share of all connectors' time in which they were neither faulted, unavailable, offline nor unknown."""
    return f'1 - sum({SECONDS}{{state=~"{LOST}", window="{window}"}}) / sum({SECONDS}{{state="total", window="{window}"}})'


ROWS = (
    Row((
        stat(
            1, "Available now", "Share of connectors that serve a driver or could.", f"1 - {UNUSABLE}", unit=Unit.RATIO, decimals=2,
            colours=share_colours(0.95, 0.97), spark=True, width=6,
        ),
        stat(
            2, "Available, 24 hours", "Share of all connectors' time in the last 24 complete hours.", up("24h"), unit=Unit.RATIO,
            decimals=2, colours=share_colours(0.95, 0.97), width=6,
        ),
        stat(
            3, "Available, 7 days", "Share of all connectors' time in the last seven days. Public funding asks for 97 %.", up("7d"),
            unit=Unit.RATIO, decimals=2, colours=share_colours(0.95, 0.97), width=6,
        ),
        stat(
            4, "Budget burns", "How fast the month's budget is being used up, over the last hour: 1 lasts exactly a month.",
            f"{UNUSABLE}_avg1h / {BUDGET}", decimals=1, colours=((None, GREEN), (1, YELLOW), (6, ORANGE), (14.4, RED)), width=6,
        ),
    )),
    Row((
        graph(
            5, "Not available",
            "Share of connectors that can serve nobody: now, and averaged over the windows that alerts look at.",
            Query(UNUSABLE, "now"), Query(f"{UNUSABLE}_avg1h", "1 hour"), Query(f"{UNUSABLE}_avg6h", "6 hours"),
            Query(f"{UNUSABLE}_avg3d", "3 days"),
            unit=Unit.RATIO, colours=((None, "green"), (BUDGET, RED)), threshold_lines=True, filled=0, width=14, height=10,
            line_colours=(("now", GREY), ("1 hour", YELLOW), ("6 hours", ORANGE), ("3 days", RED)),
        ),
        graph(
            6, "Why", "Connectors that can serve nobody, by status.",
            Query(f'sum by (status) ({n.MODEL_CONNECTORS.name}{{status=~"Faulted|Unavailable|Unknown"}})', "{{status}}"),
            stacked=True, stepped=True, line_colours=(("Faulted", RED), ("Unavailable", ORANGE), ("Unknown", GREY)),
            width=10, height=10,
            may_be_empty="every connector is usable",
        ),
    )),
    Row((
        table(
            7, "Where it is lost, 7 days", "Sites that lost the largest share of their connectors' time.",
            (f'bottomk(20, {AVAILABLE}{{window="7d"}})',),
            (
                Column(field="site", title="Site", link=links.SITE),
                Column(
                    field="Value", title="Available", unit=Unit.RATIO, decimals=2, bar=True, most=1,
                    colours=share_colours(0.95, 0.97),
                ),
            ),
            sort=("Available", False), width=8, height=11,
        ),
        table(
            8, "To what, 7 days", "Connectors' time lost, by what kept them from serving.",
            (f'sum by (state) ({SECONDS}{{state=~"{LOST}", window="7d"}})',),
            (
                Column(field="state", title="State"),
                Column(field="Value", title="Time", unit=Unit.SECONDS, decimals=1, bar=True, colours=((None, ORANGE),)),
            ),
            sort=("Time", True), width=8, height=11,
        ),
        table(
            9, "By model, now", "Models with the largest share of connectors that can serve nobody.",
            ("topk(20, model:chargewatch_unusable:ratio)",),
            (
                Column(field="vendor", title="Vendor"),
                Column(field="model", title="Model"),
                Column(
                    field="Value", title="Unusable", unit=Unit.RATIO, decimals=1, bar=True, most=0.5,
                    colours=((None, GREEN), (0.03, ORANGE), (0.1, RED)),
                ),
            ),
            sort=("Unusable", True), width=8, height=11,
        ),
    )),
    Row((
        stat(
            10, "Rollups complete up to", "Age of the last complete hour in the figures of 24 hours and 7 days.",
            f"time() - max({n.ROLLUPS_UPTO.name})", unit=Unit.SECONDS, decimals=0,
            colours=((None, GREEN), (7500, ORANGE), (14_400, RED)), width=6,
        ),
        stat(
            11, "Hours restated",
            "Complete hours that changed again in the chosen time range, because something was reported late.",
            f"sum(increase({n.ROLLUPS_RESTATED.name}[$__range]))", decimals=0, colours=((None, GREEN), (1, YELLOW)), width=6,
        ),
        stat(
            12, "Rollups behind", "Journal records that are not in the rollups yet.", f"max({n.ROLLUPS_BEHIND.name})",
            colours=((None, GREEN), (10_000, ORANGE)), width=6,
        ),
        stat(
            13, "Rollups work", "Whether rollups are made and stored.", f"min({n.ROLLUPS_WORKING.name})",
            colours=((None, RED), (1, GREEN)), words=(("0", "no", RED), ("1", "yes", GREEN)), width=6,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.AVAILABILITY,
    title="11 · Availability and uptime",
    question="What share of the time could drivers be served, is the objective kept, and where is it lost?",
    since="now-24h",
    refresh="1m",
    rows=ROWS,
    annotations=MARKS,
)
