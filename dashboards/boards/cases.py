"""Board 5, cases: what is wrong, worst first, how sure is that, and what do its neighbours say?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import (
    BLUE,
    GREEN,
    GREY,
    JUDGED,
    MARKS,
    ORANGE,
    RED,
    YELLOW,
    ZERO_IS_BEST,
    ZERO_IS_GOOD,
    bars,
    graph,
    or_zero,
    stat,
    table,
)
from dashboards.spec import Board, Column, Query, Row, Unit, Variable

KIND = Variable(name="kind", label="Kind", query=f"label_values({n.CASES_OPEN.name}, kind)", many=True)
SITES = Variable(name="site", label="Site", query=f"label_values({n.SITE_POINTS.name}, site)", many=True)
CHOSEN = 'kind=~"$kind", site=~"$site"'
STATES = (("open", RED), ("reopened", ORANGE), ("acknowledged", BLUE), ("suppressed", GREY), ("masked", "dark-purple"))
NOTHING = "nothing is wrong, or the choice above leaves nothing"


def by_state(state: str) -> str:
    """How many cases of the chosen kinds are in a state."""
    return or_zero(f'sum({n.CASES_OPEN.name}{{kind=~"$kind", state=~"{state}"}})', JUDGED)


ROWS = (
    Row((
        stat(
            1, "Nobody has it in hand", "Cases that are open or open again, and that nobody has acknowledged.",
            by_state("open|reopened"), colours=ZERO_IS_BEST, spark=True,
        ),
        stat(
            2, "Pages among them", "Open cases of severity critical: somebody was called.",
            or_zero(f'sum({n.CASES_OPEN.name}{{kind=~"$kind", severity="critical", state=~"open|reopened"}})', JUDGED),
            colours=ZERO_IS_GOOD, spark=True,
        ),
        stat(3, "In hand", "Cases that somebody has acknowledged.", by_state("acknowledged"), colours=((None, BLUE),), spark=True),
        stat(
            4, "Explained by a wider case", "Cases that a wider one explains, such as a site that lost its router; nobody is told.",
            by_state("suppressed"), colours=((None, GREY),), spark=True,
        ),
        stat(
            5, "Planned work", "Cases that a maintenance window or an update of ours hides.", by_state("masked"),
            colours=((None, GREY),), spark=True,
        ),
        stat(
            6, "Detectors behind", "Records that the detectors have not seen yet: what they do not know, they cannot find.",
            f"max({n.ALERTS_BEHIND.name})", colours=((None, GREEN), (1000, ORANGE), (50_000, RED)), spark=True,
        ),
    )),
    Row((
        table(
            7, "Ranked",
            "Every case that somebody should hear of: pages first, then the surest. A click opens the connector with its "
            "evidence: state, power, temperature, errors, frames.",
            (
                f'sort_desc(topk(500, {n.CASE.name}{{{CHOSEN}, severity="critical"}} + 1'
                f' or {n.CASE.name}{{{CHOSEN}, severity!="critical"}}))',
            ),
            (
                Column(field="severity", title="Severity", width=90),
                Column(field="kind", title="What", link=links.CASES_OF_KIND),
                Column(field="site", title="Site", link=links.SITE),
                Column(field="charge_point", title="Charge point", link=links.CHARGE_POINT),
                Column(field="connector", title="Connector", link=links.CONNECTOR, width=100),
                Column(field="group", title="Group"),
                Column(
                    field="Value", title="Rank", decimals=2, width=140, bar=True, most=2,
                    colours=((None, YELLOW), (0.9, ORANGE), (1.5, RED)),
                ),
            ),
            sort=("Rank", True), nothing="no case", may_be_empty=NOTHING, width=16, height=14,
        ),
        bars(
            8, "By kind", "Cases by what they are about, in whatever state.",
            f'sort_desc(sum by (kind) ({n.CASES_OPEN.name}{{kind=~"$kind"}}))', "{{kind}}",
            colours=((None, ORANGE),), nothing="no case", may_be_empty=NOTHING, height=14,
        ),
    )),
    Row((
        graph(
            9, "Over time", "Cases by state. What grows without being acknowledged is a shift with too much to do.",
            Query(f'sum by (state) ({n.CASES_OPEN.name}{{kind=~"$kind"}})', "{{state}}"),
            stacked=True, line_colours=STATES, may_be_empty=NOTHING,
        ),
        table(
            10, "Peers: sites", "Share of connectors that can serve nobody, at the chosen sites: is it one connector, or the site?",
            ('topk(20, site:chargewatch_unusable:ratio{site=~"$site"})',),
            (
                Column(field="site", title="Site", link=links.SITE),
                Column(
                    field="Value", title="Unusable", unit=Unit.RATIO, decimals=0, bar=True, most=1,
                    colours=((None, GREEN), (0.03, YELLOW), (0.2, ORANGE), (0.5, RED)),
                ),
            ),
            sort=("Unusable", True),
        ),
        table(
            11, "Peers: models", "The same by vendor and model: is it one charge point, or the model?",
            ("topk(20, model:chargewatch_unusable:ratio)",),
            (
                Column(field="vendor", title="Vendor"),
                Column(field="model", title="Model"),
                Column(
                    field="Value", title="Unusable", unit=Unit.RATIO, decimals=0, bar=True, most=1,
                    colours=((None, GREEN), (0.03, YELLOW), (0.2, ORANGE), (0.5, RED)),
                ),
            ),
            sort=("Unusable", True),
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.CASES,
    title="5 · Cases",
    question="What is wrong, how sure is that, and what has nobody taken in hand yet?",
    variables=(KIND, SITES),
    rows=ROWS,
    annotations=MARKS,
)
