"""Board 6, session quality: at which step do drivers' attempts fail, and with which model, firmware or site?

The funnel: plugged in → authorized → begun → energy → ended well. A fault counts as begun; what nobody knows is left out.
"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import (
    BLUE,
    GREEN,
    GREY,
    MARKS,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    funnel,
    graph,
    share_colours,
    stat,
    table,
)
from dashboards.rules import RuleConfig
from dashboards.spec import Board, Colours, Column, Query, Row, Unit, Variable

FAILED, COUNT = "chargewatch_attempts_failed:ratio_rate", "chargewatch_attempts:increase"
STEPS = (
    ("plugged in", 'outcome!="unknown"'),
    ("authorized", 'outcome!~"unknown|rejected"'),
    ("begun", 'outcome!~"unknown|rejected|not_started"'),
    ("energy", 'outcome=~"served|broken_off"'),
    ("ended well", 'outcome="served"'),
)
OUTCOMES = (
    ("served", GREEN), ("broken_off", YELLOW), ("no_energy", RED), ("little_energy", ORANGE), ("fault", "dark-red"),
    ("not_started", PURPLE), ("rejected", GREY), ("unknown", "dark-blue"),
)  # fmt: skip
BUDGET = RuleConfig().success.budget
BAD: Colours = ((None, GREEN), (BUDGET, ORANGE), (3 * BUDGET, RED))
NOBODY = "nobody tried to charge in this time"

SITE = Variable(name="site", label="Site", query=f"label_values({n.SITE_POINTS.name}, site)")
VENDOR = Variable(name="vendor", label="Vendor", query=f"label_values({n.MODEL_POINTS.name}, vendor)")
MODEL = Variable(name="model", label="Model", query=f'label_values({n.MODEL_POINTS.name}{{vendor="$vendor"}}, model)')
FIRMWARE = Variable(
    name="firmware",
    label="Firmware",
    query=f'label_values({n.FIRMWARE_POINTS.name}{{vendor="$vendor", model="$model"}}, firmware)',
    many=True,
)


def steps(family: n.Family, matchers: str) -> tuple[Query, ...]:
    """How many reached each step, in the chosen time range."""
    every = f"sum(increase({family.name}{{{matchers}}}[$__range]))"
    return tuple(
        Query(f"sum(increase({family.name}{{{matchers}, {which}}}[$__range])) or {every} * 0", step) for step, which in STEPS
    )


NETWORK = tuple(Query(f"sum(outcome:{COUNT}1h{{{which}}}) or sum(outcome:{COUNT}1h) * 0", step) for step, which in STEPS)

ROWS = (
    Row((
        stat(
            1, "Worked, last hour", "Share of attempts in the last hour that gave their driver energy.",
            f"1 - network:{FAILED}1h", unit=Unit.RATIO, decimals=1, colours=share_colours(1 - 2 * BUDGET, 1 - BUDGET),
            spark=True, width=6,
        ),
        stat(
            2, "Worked, last day", "The same over a day.", f"1 - network:{FAILED}1d",
            unit=Unit.RATIO, decimals=1, colours=share_colours(1 - 2 * BUDGET, 1 - BUDGET), width=6,
        ),
        stat(
            3, "Attempts, last hour", "Attempts that say something about the network, in the last hour.", f"sum(network:{COUNT}1h)",
            decimals=0, colours=((None, BLUE),), spark=True, width=6,
        ),
        stat(
            4, "Budget burns", "How fast the budget of failed attempts is being used up, over an hour: 1 lasts exactly a month.",
            f"network:{FAILED}1h / {BUDGET}", decimals=1, colours=((None, GREEN), (1, YELLOW), (6, ORANGE), (14.4, RED)), width=6,
        ),
    )),
    Row((
        funnel(5, "The whole network, last hour", "How many attempts of the last hour reached each step.", *NETWORK),
        funnel(
            6, "The chosen model and firmware, this time range", "How many attempts in the chosen time range reached each step.",
            *steps(n.FIRMWARE_ATTEMPTS, 'vendor="$vendor", model="$model", firmware=~"$firmware"'),
        ),
        funnel(
            7, "The chosen site, this time range", "How many attempts in the chosen time range reached each step.",
            *steps(n.SITE_ATTEMPTS, 'site="$site"'),
        ),
    )),
    Row((
        graph(
            8, "Attempts by outcome", "Attempts of the hour before, by how they ended.",
            Query(f"outcome:{COUNT}1h", "{{outcome}}"), stacked=True, line_colours=OUTCOMES, width=12, height=9, unit=Unit.COUNT,
        ),
        graph(
            9, "Share that failed", "Of the whole network, over the windows that alerts look at. The dashed line is the objective.",
            Query(f"network:{FAILED}1h", "1 hour"), Query(f"network:{FAILED}6h", "6 hours"), Query(f"network:{FAILED}1d", "1 day"),
            unit=Unit.RATIO, colours=((None, "green"), (BUDGET, RED)), threshold_lines=True, filled=0, width=12, height=9,
            line_colours=(("1 hour", YELLOW), ("6 hours", ORANGE), ("1 day", RED)), may_be_empty=NOBODY,
        ),
    )),
    Row((
        table(
            10, "By model and firmware, last day", "Share of attempts that failed, and how many were made: few prove little.",
            (f"topk(50, firmware:{FAILED}1d)", f"firmware:{COUNT}1d"),
            (
                Column(field="vendor", title="Vendor"),
                Column(field="model", title="Model"),
                Column(field="firmware", title="Firmware"),
                Column(field="Value #A", title="Failed", unit=Unit.RATIO, decimals=1, bar=True, most=0.5, colours=BAD),
                Column(field="Value #B", title="Attempts", decimals=0, width=100),
            ),
            sort=("Failed", True), may_be_empty=NOBODY, width=12, height=11,
        ),
        table(
            11, "By site, last day", "The fifty sites of which most attempts failed. A click opens the site.",
            (f"topk(50, site:{FAILED}1d)",),
            (
                Column(field="site", title="Site", link=links.SITE),
                Column(field="Value", title="Failed", unit=Unit.RATIO, decimals=1, bar=True, most=0.5, colours=BAD),
            ),
            sort=("Failed", True), may_be_empty=NOBODY, width=12, height=11,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.SESSIONS,
    title="6 · Session quality",
    question="At which step do drivers' attempts fail, and with which model, firmware or site?",
    variables=(VENDOR, MODEL, FIRMWARE, SITE),
    rows=ROWS,
    annotations=MARKS,
    since="now-24h",
    refresh="1m",
)
