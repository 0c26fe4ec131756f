"""Board 14, alert quality: do we wake people for the right things, and do they hear of them?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.boards.common import (
    BLUE,
    GREEN,
    GREY,
    MARKS,
    ORANGE,
    RED,
    RELAYED,
    YELLOW,
    ZERO_IS_GOOD,
    bars,
    graph,
    or_zero,
    quantile,
    stat,
    table,
)
from dashboards.spec import Board, Column, Query, Row, Unit

ROWS = (
    Row((
        stat(
            1, "Pages open", "Alerts of severity critical that the relay holds open.",
            or_zero(f'sum({n.ALERTS_OPEN.name}{{severity="critical"}})', RELAYED), colours=ZERO_IS_GOOD, spark=True,
        ),
        stat(
            2, "Messages delivered",
            "Messages that reached a receiver in the chosen time range. Two pages a shift are what people can bear.",
            or_zero(f'sum(increase({n.ATTEMPTS.name}{{outcome="delivered"}}[$__range]))', RELAYED), decimals=0,
            colours=((None, BLUE),),
        ),
        stat(
            3, "Attempts that failed", "Share of all attempts to deliver in the chosen time range that were not delivered.",
            or_zero(
                f'sum(increase({n.ATTEMPTS.name}{{outcome!="delivered"}}[$__range])) / sum(increase({n.ATTEMPTS.name}[$__range]))',
                RELAYED,
            ),
            unit=Unit.RATIO, decimals=1, colours=((None, GREEN), (0.02, ORANGE), (0.2, RED)),
        ),
        stat(
            4, "Cases that came back",
            "Share of the cases resolved in the chosen time range that opened again: resolved too early.",
            or_zero(
                f'sum(increase({n.CASE_CHANGES.name}{{what="reopened"}}[$__range]))'
                f' / (sum(increase({n.CASE_CHANGES.name}{{what="resolved"}}[$__range])) > 0)',
                n.ALERTS_WORKING.name,
            ),
            unit=Unit.RATIO, decimals=0, colours=((None, GREEN), (0.1, ORANGE), (0.3, RED)),
        ),
        stat(
            5, "Untold cases", "Cases that the relay has not stored yet: nobody has heard of them.", f"max({n.CASES_UNTOLD.name})",
            colours=ZERO_IS_GOOD, spark=True,
        ),
        stat(
            6, "Watchdog", "Time since Alertmanager's always-firing alert came. Silence means that no alert would come either.",
            f"time() - max({n.WATCHDOG_HEARD.name})", unit=Unit.SECONDS, decimals=0, nothing="never",
            colours=((None, GREEN), (600, ORANGE), (1800, RED)), may_be_empty="no Alertmanager is connected",
        ),
    )),
    Row((
        graph(
            7, "What became of cases", "Cases opened, acknowledged, resolved and opened again, per hour.",
            Query(f"sum by (what) (increase({n.CASE_CHANGES.name}[1h]))", "{{what}}"), unit=Unit.PER_HOUR,
            line_colours=(("opened", RED), ("reopened", ORANGE), ("acknowledged", BLUE), ("resolved", GREEN)), height=9,
        ),
        graph(
            8, "Why groups were told, or not", "Looks at a group of alerts by the reason of what followed, per hour.",
            Query(
                f"sum by (reason) (increase({n.ALERTS_JUDGED.name}[1h]))", "{{reason}}"
            ),
            unit=Unit.PER_HOUR, stacked=True, height=9,
        ),
        graph(
            9, "Where alerts came from", "Our programs or Alertmanager, and what became of them, per hour.",
            Query(f"sum by (origin, outcome) (increase({n.ALERTS_TAKEN.name}[1h]))", "{{origin}} {{outcome}}"), unit=Unit.PER_HOUR,
            height=9,
        ),
    )),
    Row((
        graph(
            10, "Attempts to deliver", "By receiver and outcome, per hour.",
            Query(f"sum by (receiver, outcome) (increase({n.ATTEMPTS.name}[1h]))", "{{receiver}} {{outcome}}"), unit=Unit.PER_HOUR,
            may_be_empty="nothing had to be delivered",
        ),
        graph(
            11, "Time of an attempt", "95 % of attempts took no longer, by receiver.",
            Query(quantile(0.95, n.ATTEMPT_DURATION, "receiver"), "{{receiver}}"), unit=Unit.SECONDS, filled=0,
            may_be_empty="nothing had to be delivered",
        ),
        graph(
            12, "Waiting messages", "Messages that are not delivered yet, by receiver.",
            Query(f"max by (receiver) ({n.OUTBOX_WAITING.name})", "{{receiver}}"), may_be_empty="no receiver is configured",
        ),
    )),
    Row((
        table(
            13, "Firing now", "Alerts of Prometheus' rules that fire now; most are also cases.",
            ('sort_desc(count by (alertname, severity) (ALERTS{alertstate="firing"}))',),
            (
                Column(field="alertname", title="Alert"),
                Column(field="severity", title="Severity", width=100),
                Column(field="Value", title="How many", width=100, colours=((None, YELLOW), (5, ORANGE), (20, RED))),
            ),
            sort=("How many", True), nothing="nothing fires", may_be_empty="nothing fires", width=8, height=9,
        ),
        bars(
            14, "Loudest kinds",
            "Cases that are open now by kind: what would be the most work to mend, and the most noise if it is not real.",
            f"topk(10, sum by (kind) ({n.CASES_OPEN.name}))", "{{kind}}", colours=((None, ORANGE),), nothing="no case",
            may_be_empty="nothing is wrong", width=8, height=9,
        ),
        graph(
            15, "Time to judge", "Time that the last look at the whole network took; it must stay far below its interval.",
            Query(f"max({n.ALERTS_JUDGING.name})", "judging"), unit=Unit.SECONDS, line_colours=(("judging", GREY),), height=9,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.ALERTS,
    title="14 · Alert quality",
    question="Do we wake people for the right things, and do they hear of them?",
    since="now-24h",
    refresh="1m",
    rows=ROWS,
    annotations=MARKS,
)
