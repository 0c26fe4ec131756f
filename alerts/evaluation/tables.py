"""A report as tables. Decided here: what a reader sees first, and how shares, intervals and times read.

The same rows are printed by `chargewatch detect evaluate` and stand in docs/detection.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from alerts.detectors.statistics.settings import DEFAULTS
from alerts.evaluation.evaluate import Report
from alerts.evaluation.fit import BUDGETS
from alerts.evaluation.hard_run import HardRow
from alerts.evaluation.intervals import Interval
from alerts.evaluation.methods import BASELINES
from alerts.evaluation.plan import STRATA
from alerts.evaluation.score import AlarmRow, FaultRow
from alerts.kinds import KINDS
from chargenet.model.notice import Severity

_SHORT = {"fixed thresholds": "fixed", "isolation forest alone": "forest", "random": "random"}
LIMITS = (
    "no_energy_limit",
    "no_energy_page_limit",
    "failing_limit",
    "silence_limit",
    "power_limit",
    "power_unreported_limit",
    "temperature_limit",
    "intervals_limit",
    "forest_limit",
)
"""Settings that are fitted."""


class TableText(msgspec.Struct, frozen=True):
    """A table as text. Columns that end in `→` are numbers."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(report: Report) -> list[TableText]:
    """Targets first, then what they rest on."""
    return [_targets(report), _faults(report.faults), _hard(report.hard), _alarms(report), _limits(report)]


def markdown(report: Report) -> str:
    """What docs/detection.md shows."""
    return f"{about(report)}\n\n" + "\n".join(_markdown(each) for each in tables(report))


def about(report: Report) -> str:
    """One paragraph: what was looked at."""
    aside = report.aside
    reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(aside.connectors.items()))
    return (
        f"{report.sessions:,} sessions at {report.connectors} connectors, seed {report.seed}. Set aside as already sick: "
        f"{sum(aside.connectors.values())} connectors ({reasons or 'none'}) and {aside.spans} stretches of others "
        f"({aside.sick_months:.0f} connector-months). Fitted on {aside.healthy_months[0]:.0f} healthy connector-months, "
        f"reported on {aside.healthy_months[1]:.0f} others."
    )


def _targets(report: Report) -> TableText:
    rows: list[tuple[str, ...]] = []
    for row in report.faults:
        if row.target is not None and row.goal is not None:
            fault = f"{row.fault}, {row.severity}"
            rows.append((fault, row.target, f"≥ {row.goal:.0%}", _share(row.reached), str(row.counted), _met(not row.missed)))
    found = [row for row in report.hard if row.recall is not None]
    worst = min(found, key=lambda row: row.recall.value if row.recall else 0.0)
    goal = f"≥ {worst.goal:.0%}"
    missed = any(row.missed for row in report.hard)
    events = sum(row.events for row in report.hard)
    rows.append(("hard faults, each", "found", goal, f"worst: {_share(worst.recall)}", str(events), _met(not missed)))
    for who, budget in BUDGETS.items():
        alarm = next(each for each in report.alarms if each.who == who)
        reached = alarm.per_month.value <= budget
        rows.append(
            (f"false alarms: {who}", "per connector-month", f"≤ {budget}", _rate(alarm), str(alarm.episodes), _met(reached))
        )
    return TableText("Targets", ("what", "target", "goal→", "reached (95 %)→", "events→", ""), rows)


def _faults(found: Sequence[FaultRow]) -> TableText:
    columns = (
        "fault", "severity", "events→", "recall (95 %)→", "by traffic→", "precision→", "hours→", "opportunities→", "",
        "first kind right→", *(f"{_SHORT[name]}→" for name in BASELINES),
    )  # fmt: skip
    rows = [
        (
            row.fault,
            row.severity,
            str(row.events),
            _share(row.recall),
            " / ".join(f"{row.by_traffic[name]:.0%}" if name in row.by_traffic else "-" for name, _, _ in STRATA),
            _percent(row.precision),
            "-" if row.hours is None else f"{row.hours:.0f}",
            "-" if row.opportunities is None else f"{row.opportunities:.0f}",
            row.unit,
            _percent(row.first_right),
            *(f"{row.baselines[name]:.0%}" for name in BASELINES),
        )
        for row in found
    ]
    return TableText("Soft faults, found while they last; medians of the time to detect", columns, rows)


def _hard(found: Sequence[HardRow]) -> TableText:
    columns = ("fault", "events→", "recall (95 %)→", "hours→", "of which the rule waits→", "first kind right→")
    rows = [
        (
            row.fault,
            str(row.events),
            _share(row.recall),
            "-" if row.hours is None else f"{row.hours:.2f}",
            f"{row.waits_hours:.2f}",
            _percent(row.first_right),
        )
        for row in found
    ]
    return TableText("Hard faults, by the rules; medians of the time to detect", columns, rows)


def _alarms(report: Report) -> TableText:
    rows = [(row.who, _SEVERITY[row.severity], str(row.episodes), _rate(row)) for row in report.alarms]
    rules = report.rules
    for severity, found in (("ticket", rules.tickets), ("page", rules.pages)):
        kinds = {kind: count for kind, count in rules.kinds.items() if _SEVERITY[KINDS[kind].severity] == severity}
        said = f" ({', '.join(kinds)})" if kinds else ""
        rate = f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"
        rows.append((f"rules{said}", severity, str(sum(kinds.values())), rate))
    return TableText("False alarms in healthy time", ("who", "is a", "episodes→", "per connector-month (95 %)→"), rows)


def _limits(report: Report) -> TableText:
    rows = [(name, f"{getattr(report.fitted, name):g}", f"{getattr(DEFAULTS, name):g}") for name in LIMITS]
    return TableText("Limits", ("setting", "fitted here→", "shipped→"), rows)


_SEVERITY = {Severity.CRITICAL: "page", Severity.WARNING: "ticket", Severity.INFO: "note"}


def _share(found: Interval | None) -> str:
    return "-" if found is None else f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"


def _rate(row: AlarmRow) -> str:
    return f"{row.per_month.value:.4f} ({row.per_month.low:.4f} to {row.per_month.high:.4f})"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _met(whether: bool) -> str:
    return "reached" if whether else "missed"


def _markdown(table: TableText) -> str:
    heads = [column.removesuffix("→") for column in table.columns]
    rules = ["---:" if column.endswith("→") else "---" for column in table.columns]
    lines = [f"### {table.title}", "", *(f"| {' | '.join(cells)} |" for cells in (heads, rules, *table.rows)), ""]
    return "\n".join(lines)
