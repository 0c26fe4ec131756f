"""docs/metrics.md from the metric names: `python -m chargenet.observe.reference > docs/metrics.md`; a test keeps it true."""

from __future__ import annotations

import sys

from chargenet.observe.names import ALERTS, BILLING, FLEET, PAYMENT, PLATFORM, REPORTS, ROLLOUTS, Family

_INTRODUCTION = """# Metrics

Served at `/metrics`. This page is written from `chargenet/observe/names.py` by
`python -m chargenet.observe.reference > docs/metrics.md`; a test keeps the two equal.

A value that is not refreshed within the time under "dropped after" loses its series: it is never shown frozen. A status or an
error counts as refreshed while its charge point is connected. Live values of a transaction are dropped when it ends. Instants are
exported instead of ages, as Prometheus advises: the age of a connector's last report is
`time() - chargewatch_connector_last_seen_timestamp_seconds`.
"""


def markdown() -> str:
    """The text of docs/metrics.md."""
    return "\n".join(
        [
            _INTRODUCTION,
            "## Charge points, connectors, sites\n",
            *_table(FLEET),
            "\n## The platform itself\n",
            *_table(PLATFORM),
            "\n## Alerts\n",
            *_table(ALERTS),
            "\n## Firmware rollouts\n",
            *_table(ROLLOUTS),
            "\n## Reports\n",
            *_table(REPORTS),
            "\n## Billing\n",
            *_table(BILLING),
            "\n## Payments\n",
            "Only where a payment gateway is set.\n",
            *_table(PAYMENT),
            "\n`chargewatch_process_*` are those of the Prometheus client library.\n",
        ]
    )


def _table(families: tuple[Family, ...]) -> list[str]:
    lines = ["| name | type | labels | unit | set by | dropped after | meaning |", "|---|---|---|---|---|---|---|"]
    for family in families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        stale = "" if family.horizon_s is None else f"{family.horizon_s / 60:.0f} min"
        lines.append(f"| `{family.name}` | {family.kind} | {labels} | {family.unit} | {family.source} | {stale} | {family.help} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write(markdown())
