"""Board 10, energy and utilization: for managers. What was delivered, where, and how well is what we own used?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import BLUE, GREEN, ORANGE, RED, graph, stat, table
from dashboards.spec import INFLUX, Board, Column, Query, Row, Unit, Variable

SITES = Variable(name="site", label="Site", query=f"label_values({n.SITE_POINTS.name}, site)", many=True)
CHOSEN = 'site=~"$site"'


def energy(window: str) -> str:
    """Delivered within the window."""
    return f'{n.SITE_WINDOW_ENERGY.name}{{{CHOSEN}, window="{window}"}}'


def seconds(state: str, window: str) -> str:
    """Connectors' seconds in a state."""
    return f'{n.SITE_WINDOW_SECONDS.name}{{{CHOSEN}, window="{window}", state="{state}"}}'


def used(window: str, by: str = "") -> str:
    """Utilization: occupied of total."""
    sums = f"sum by ({by})" if by else "sum"
    return f"{sums} ({seconds('occupied', window)}) / {sums} ({seconds('total', window)})"


HOURS = 'FROM "connector_hour" WHERE "site" =~ /^$site$/ AND $timeFilter'
"""Hours of connectors in the telemetry store, which keeps them longer than Prometheus does, and as they were restated."""
JOINED_S = 2 * 86_400
"""Hours in a row are one line, and the half days of a year, too."""
NO_HOURS = "no hour is over yet, or hours are not kept in InfluxDB"
RANKED = f'(SELECT sum("energy_wh") AS "energy" {HOURS} GROUP BY "charge_point", "connector")'


def hours(what: str, legend: str = "") -> Query:
    """One figure over the chosen time range."""
    return Query(f"SELECT {what} {HOURS} LIMIT 1", legend, INFLUX)


def over_time(what: str, legend: str) -> Query:
    """A point an hour; where a point is wider than that, the sum of its hours."""
    return Query(f"SELECT {what} {HOURS} GROUP BY time($__interval) fill(none)", legend, INFLUX)


def ranked(function: str) -> Query:
    """Twenty connectors: `top` or `bottom` of what they delivered."""
    return Query(f'SELECT {function}("energy", "charge_point", "connector", 20) AS "energy" FROM {RANKED} LIMIT 20', "", INFLUX)


RANKS = (
    Column(field="charge_point", title="Charge point"),
    Column(field="connector", title="Connector", width=100),
    Column(field="energy", title="Energy", unit=Unit.WATT_HOUR, decimals=1, bar=True, colours=((None, BLUE),)),
)
HISTORY = (
    Row((
        stat(
            12, "Energy, time range", "Energy of all complete hours of the chosen time range, late reports included.",
            hours('sum("energy_wh")'), unit=Unit.WATT_HOUR, decimals=1, colours=((None, BLUE),), width=6, may_be_empty=NO_HOURS,
        ),
        stat(
            13, "Revenue, time range", "Before taxes, of CDRs whose sessions ended in the time range; each currency on its own.",
            hours("sum(/^revenue_/)", "$col"), decimals=2, colours=((None, BLUE),), width=6,
            may_be_empty=f"nothing was billed, {NO_HOURS}",
        ),
        stat(
            14, "Transactions, time range", "Transactions that began in complete hours of the time range.",
            hours('sum("sessions")'), decimals=0, colours=((None, BLUE),), width=6, may_be_empty=NO_HOURS,
        ),
        stat(
            15, "Utilization, time range", "Share of all connectors' time in which a vehicle was plugged in.",
            hours('sum("occupied_s") / sum("total_s")'), unit=Unit.RATIO, decimals=1, colours=((None, BLUE),), width=6,
            may_be_empty=NO_HOURS,
        ),
    )),
    Row((
        graph(
            16, "Energy over time", "Of complete hours: a point an hour, in long time ranges a point for several hours.",
            over_time('sum("energy_wh")', "energy"), unit=Unit.WATT_HOUR, line_colours=(("energy", BLUE),), width=12, height=9,
            stepped=True, joined_s=JOINED_S, may_be_empty=NO_HOURS,
        ),
        graph(
            17, "Revenue over time", "Before taxes, by currency, at the hour in which a session ended; restated when it is billed.",
            over_time("sum(/^revenue_/)", "$col"), stepped=True, joined_s=JOINED_S, width=12, height=9,
            may_be_empty=f"nothing was billed, {NO_HOURS}",
        ),
    )),
    Row((
        table(
            18, "Connectors that delivered most", "Twenty, over the complete hours of the time range.", (ranked("top"),), RANKS,
            sort=("Energy", True), width=12, height=12, may_be_empty=NO_HOURS,
        ),
        table(
            19, "Connectors that delivered least", "Twenty, over the complete hours of the time range: unused ones come first.",
            (ranked("bottom"),), RANKS, sort=("Energy", False), width=12, height=12, may_be_empty=NO_HOURS,
        ),
    )),
)  # fmt: skip

ROWS = (
    Row((
        stat(
            1, "Energy, 24 hours", "Energy of the transactions in the last 24 complete hours.", f"sum({energy('24h')})",
            unit=Unit.WATT_HOUR, decimals=1, colours=((None, BLUE),),
        ),
        stat(
            2, "Energy, 7 days", "Energy of the transactions in the last seven days.", f"sum({energy('7d')})",
            unit=Unit.WATT_HOUR, decimals=1, colours=((None, BLUE),),
        ),
        stat(
            3, "Transactions, 24 hours", "Transactions that began in the last 24 complete hours.",
            f'sum({n.SITE_WINDOW_SESSIONS.name}{{{CHOSEN}, window="24h"}})', decimals=0, colours=((None, BLUE),),
        ),
        stat(
            4, "Energy per transaction", "Mean, over the last seven days.",
            f'sum({energy("7d")}) / sum({n.SITE_WINDOW_SESSIONS.name}{{{CHOSEN}, window="7d"}})',
            unit=Unit.WATT_HOUR, decimals=1, colours=((None, BLUE),), may_be_empty="nobody charged in seven days",
        ),
        stat(
            5, "Utilization, 7 days", "Share of all connectors' time in which a vehicle was plugged in.", used("7d"),
            unit=Unit.RATIO, decimals=1, colours=((None, BLUE),),
        ),
        stat(
            6, "Plugged in, not charging", "Share of the occupied time without charging, over seven days: room for others.",
            f"sum({seconds('idle', '7d')}) / sum({seconds('occupied', '7d')})", unit=Unit.RATIO, decimals=0,
            colours=((None, GREEN), (0.3, ORANGE), (0.5, RED)), may_be_empty="nobody plugged in for seven days",
        ),
    )),
    Row((
        graph(
            7, "Power", "Power drawn by vehicles at the chosen sites.", Query(f"sum({n.SITE_POWER.name}{{{CHOSEN}}})", "power"),
            unit=Unit.WATT, line_colours=(("power", BLUE),), width=12, height=9,
        ),
        graph(
            8, "Energy by the hour", "Energy of the last complete hour, the ten busiest sites.",
            Query(f"topk(10, {energy('1h')})", "{{site}}"), unit=Unit.WATT_HOUR, stacked=True, width=12, height=9,
        ),
    )),
    Row((
        table(
            9, "Sites, 7 days",
            "Energy and transactions of the hundred sites that delivered most energy, or served most. A click opens the site.",
            (
                f"topk(100, sum by (site) ({energy('7d')}))",
                f'topk(100, sum by (site) ({n.SITE_WINDOW_SESSIONS.name}{{{CHOSEN}, window="7d"}}))',
            ),
            (
                Column(field="site", title="Site", link=links.SITE),
                Column(field="Value #A", title="Energy", unit=Unit.WATT_HOUR, decimals=1, bar=True, colours=((None, BLUE),)),
                Column(field="Value #B", title="Transactions", decimals=0, width=130),
            ),
            sort=("Energy", True), width=12, height=12,
        ),
        table(
            10, "Least used, 7 days", "Sites whose connectors are plugged in least of their time.",
            (f"bottomk(20, {used('7d', 'site')})",),
            (
                Column(field="site", title="Site", link=links.SITE),
                Column(
                    field="Value", title="Utilization", unit=Unit.RATIO, decimals=1, bar=True, most=1,
                    colours=((None, ORANGE), (0.05, BLUE)),
                ),
            ),
            sort=("Utilization", False), width=6, height=12,
        ),
        table(
            11, "Most used, 7 days", "Sites whose connectors are plugged in most of their time: where drivers may have to wait.",
            (f"topk(20, {used('7d', 'site')})",),
            (
                Column(field="site", title="Site", link=links.SITE),
                Column(
                    field="Value", title="Utilization", unit=Unit.RATIO, decimals=1, bar=True, most=1,
                    colours=((None, BLUE), (0.5, ORANGE)),
                ),
            ),
            sort=("Utilization", True), width=6, height=12,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.ENERGY,
    title="10 · Energy and utilization",
    question="What was delivered, where, and how well is what we own used?",
    variables=(SITES,),
    since="now-7d",
    refresh="5m",
    rows=ROWS + HISTORY,
)
