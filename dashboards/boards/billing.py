"""Board 12, billing: is everything that was delivered also billed, and if not, why?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, UP, UP_WORDS, YELLOW, bars, graph, or_zero, stat, table
from dashboards.spec import Board, Column, Query, Row, Unit

BILLED = f"{n.BILLING_WORKING.name} == 1"
STATES = (
    ("billed", GREEN), ("open", BLUE), ("waiting", YELLOW), ("issue", RED), ("dismissed", GREY), ("resolved", PURPLE),
)  # fmt: skip


def in_state(state: str) -> str:
    """Transactions in a state; none counts as 0 only while billing works."""
    return or_zero(f'sum({n.BILLING_SESSIONS.name}{{state="{state}"}})', BILLED)


ROWS = (
    Row((
        stat(
            1, "Billing works",
            "Whether facts become CDRs and are stored.", f"min({n.BILLING_WORKING.name})", colours=UP, words=UP_WORDS
        ),
        stat(2, "Billed", "Transactions that have a CDR.", in_state("billed"), colours=((None, GREEN),)),
        stat(
            3, "Cannot be billed",
            "Transactions with an issue that somebody must look at; the reasons are below.", in_state("issue"),
            colours=((None, GREEN), (1, ORANGE), (50, RED)), spark=True,
        ),
        stat(
            4, "Waiting",
            "Ended transactions of which more may be said yet.", in_state("waiting"), colours=((None, BLUE),), spark=True
        ),
        stat(
            5, "Records behind", "Journal records that are not billed yet.", f"max({n.BILLING_BEHIND.name})",
            colours=((None, GREEN), (1000, ORANGE), (50_000, RED)), spark=True,
        ),
        stat(
            6, "Draft statements",
            "Statements that nobody has made final.", or_zero(f'sum({n.STATEMENTS.name}{{state="draft"}})', BILLED),
            colours=((None, BLUE),),
        ),
    )),
    Row((
        graph(
            7, "Transactions by what billing made of them", "What stays open or waiting does not become money.",
            Query(
                f"sum by (state) ({n.BILLING_SESSIONS.name})", "{{state}}"
            ),
            stacked=True, line_colours=STATES, width=12, height=9,
            may_be_empty="nobody has charged yet",
        ),
        bars(
            8, "Unbilled, and why", "Transactions that cannot be billed, by the reason.",
            f"sum by (reason) ({n.BILLING_UNBILLED.name})", "{{reason}}", colours=((None, ORANGE),), nothing="all is billed",
            may_be_empty="everything could be billed", width=12, height=9,
        ),
    )),
    Row((
        bars(
            9, "Statements", "By state; credit notes are counted on their own.",
            f"sum by (state) ({n.STATEMENTS.name})", "{{state}}", colours=((None, BLUE),), nothing="no statement",
            may_be_empty="no statement was made yet", width=8, height=10,
        ),
        table(
            10, "Revenue by site, 7 days", "Before taxes, of the CDRs that ended in the last seven days; each currency on its own.",
            (f'topk(50, sum by (site, currency) ({n.SITE_WINDOW_REVENUE.name}{{window="7d"}}))',),
            (
                Column(field="site", title="Site", link=links.SITE),
                Column(field="currency", title="Currency", width=100),
                Column(field="Value", title="Revenue", decimals=2, bar=True, colours=((None, BLUE),)),
            ),
            sort=("Revenue", True), nothing="none", may_be_empty="nothing was billed in seven days", width=8, height=10,
        ),
        graph(
            11, "Revenue, 24 hours", "Before taxes, of the last 24 complete hours, by currency.",
            Query('sum by (currency) (network:chargewatch_window_revenue:sum{window="24h"})', "{{currency}}"), width=8, height=10,
            may_be_empty="nothing was billed in 24 hours",
        ),
    )),
    Row((
        stat(
            12, "Payments work", "Whether the payment gateway and the store answer. Empty where no gateway is set.",
            f"min({n.PAYMENTS_WORKING.name})", colours=UP, words=UP_WORDS, nothing="no gateway is set",
            may_be_empty="no payment gateway is set",
        ),
        stat(
            13, "Waiting for a person", "Payments that stand still until somebody looks: `chargewatch payments list --stuck`.",
            f"sum({n.PAYMENTS_STUCK.name})", colours=((None, GREEN), (1, ORANGE), (20, RED)), spark=True,
            nothing="no gateway is set", may_be_empty="no payment gateway is set",
        ),
        stat(
            14, "Oldest request", "How long the oldest request has waited for an answer of the gateway.",
            f"max({n.PAYMENTS_WAITED.name})", unit=Unit.SECONDS, colours=((None, GREEN), (300, ORANGE), (3600, RED)),
            nothing="no gateway is set", may_be_empty="no payment gateway is set",
        ),
        bars(
            15, "Payments", "Holds and charges by state.", f"sum by (kind, state) ({n.PAYMENTS.name})", "{{kind}} {{state}}",
            colours=((None, BLUE),), nothing="no payment", may_be_empty="no payment gateway is set", width=6, height=8,
        ),
        bars(
            16, "Receivable", "Owed and not collected by itself any more, by currency.",
            f"sum by (currency) ({n.PAYMENTS_RECEIVABLE.name})", "{{currency}}", colours=((None, ORANGE),),
            nothing="nothing is owed", may_be_empty="nothing is owed, or no payment gateway is set", width=6, height=8,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.BILLING,
    title="12 · Billing",
    question="Is everything that was delivered also billed, and if not, why?",
    rows=ROWS,
    since="now-24h",
    refresh="5m",
)
