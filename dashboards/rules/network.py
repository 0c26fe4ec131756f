"""What boards ask of the whole network, recorded. Decided here: sums over models (a few hundred series), never over connectors."""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import Group, Recording, series

UNUSABLE = 'status=~"Faulted|Unavailable|Unknown"'
"""Statuses in which no driver can be served. A connector that is occupied serves one."""


def network(config: RuleConfig) -> Group:
    """Network, site and model: how many, how many of them usable, how much power."""

    def total(record: str, labels: str, family: n.Family, *matchers: str) -> Recording:
        by = f" by ({labels})" if labels else ""
        return Recording(record, f"sum{by} ({series(config, family, *matchers)})")

    return Group(
        "network",
        [
            total("network:chargewatch_charge_points:sum", "", n.MODEL_POINTS),
            total("network:chargewatch_charge_points_connected:sum", "", n.MODEL_CONNECTED),
            total("network:chargewatch_connectors:sum", "status", n.MODEL_CONNECTORS),
            total("network:chargewatch_power_watts:sum", "", n.MODEL_POWER),
            total("network:chargewatch_active_transactions:sum", "", n.MODEL_TRANSACTIONS),
            _calls(config),
            Recording("site:chargewatch_unusable:ratio", _unusable(config, n.SITE_CONNECTORS, "site")),
            Recording("model:chargewatch_unusable:ratio", _unusable(config, n.MODEL_CONNECTORS, "vendor, model")),
            Recording("firmware:chargewatch_unusable:ratio", _unusable(config, n.FIRMWARE_CONNECTORS, "vendor, model, firmware")),
        ],
    )


def _calls(config: RuleConfig) -> Recording:
    return Recording("action:chargewatch_calls:rate5m", f"sum by (protocol, action) (rate({series(config, n.CALLS, window='5m')}))")


def _unusable(config: RuleConfig, family: n.Family, labels: str) -> str:
    """The share that can serve nobody; 0 where all can, not absent."""
    every = f"sum by ({labels}) ({series(config, family)})"
    bad = f"sum by ({labels}) ({series(config, family, UNUSABLE)})"
    return f"({bad} or {every} * 0) / {every}"
