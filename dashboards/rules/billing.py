"""Alerts on bills and reports. Decided here: tickets all; money waits for the morning, and nothing is lost meanwhile."""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import WARNING, Alert, Group, series


def billing(config: RuleConfig) -> Group:
    """All of them."""
    return Group(
        "billing",
        [
            _alert(
                "BillingNotWorking",
                f"min by (instance) ({series(config, n.BILLING_WORKING)}) == 0",
                "Ended sessions become no CDRs.",
                "The billing program of {{ $labels.instance }} does not work. It goes on where it stopped.",
                900.0,
            ),
            _alert(
                "ReportsNotWorking",
                f"min by (instance) ({series(config, n.ROLLUPS_WORKING)}) == 0",
                "The hourly rollups are not made: reports and energy boards stand still.",
                "The reports program of {{ $labels.instance }} does not work. It goes on where it stopped.",
                900.0,
            ),
            _alert(
                "PaymentsNotWorking",
                f"min by (instance) ({series(config, n.PAYMENTS_WORKING)}) == 0",
                "The payment gateway, or the store of payments, does not answer: nothing is held, charged or paid back.",
                "Payments of {{ $labels.instance }} stand still. Requests are kept and sent again with the same idempotency key.",
                900.0,
            ),
            _alert(
                "SessionsUnbilled",
                f"sum by (reason) ({series(config, n.BILLING_UNBILLED)}) > {config.unbilled}",
                "Many sessions cannot be billed for the same reason.",
                "{{ $value }} sessions wait for the same thing: {{ $labels.reason }}.",
                config.unbilled_s,
            ),
        ],
    )


def _alert(name: str, expr: str, summary: str, description: str, for_s: float) -> Alert:
    return Alert(
        name=name,
        expr=expr,
        severity=WARNING,
        summary=summary,
        description=description,
        for_s=for_s,
        board=uids.BILLING,
        labels={"layer": "billing"},
    )
