"""Recording rules and alerts for Prometheus, generated from one config. Decided here: which groups there are, in which files.

The YAML beside these modules is what `files` gives for the default config; `chargewatch dashboards build` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from dashboards.rules.availability import availability
from dashboards.rules.billing import billing
from dashboards.rules.cases import CaseKind, case_alerts
from dashboards.rules.config import RuleConfig, load_config, parse_config
from dashboards.rules.model import Alert, Group, Recording, text_of
from dashboards.rules.network import network
from dashboards.rules.platform import platform
from dashboards.rules.reports import reports
from dashboards.rules.rollouts import rollouts
from dashboards.rules.states import states
from dashboards.rules.success import success
from dashboards.rules.telling import telling

__all__ = ["Alert", "CaseKind", "Group", "Recording", "RuleConfig", "files", "groups", "load_config", "parse_config"]


def groups(config: RuleConfig, kinds: Iterable[CaseKind]) -> dict[str, list[Group]]:
    """File name → its groups. `kinds`: every kind of case that there is."""
    return {
        "network.rules.yaml": [network(config), availability(config)],
        "success.rules.yaml": [success(config)],
        "billing.rules.yaml": [billing(config)],
        "cases.rules.yaml": case_alerts(config, kinds),
        "reports.rules.yaml": [reports(config)],
        "rollouts.rules.yaml": [rollouts(config)],
        "states.rules.yaml": [states(config)],
        "platform.rules.yaml": [*platform(config), telling(config)],
    }


def files(config: RuleConfig, kinds: Iterable[CaseKind]) -> dict[str, str]:
    """File name → text. The same config gives the same bytes."""
    return {name: text_of(config, each) for name, each in groups(config, kinds).items()}
