"""What boards ask of the hourly rollups of the whole network, recorded: those have a series for each site, window and state."""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import Group, Recording, series

LOST = 'state=~"faulted|unavailable|offline|unknown"'
"""A connector's time in which no driver could be served."""
EVERY = 'state="total"'


def reports(config: RuleConfig) -> Group:
    """Sums over sites by window, and the share of its time in which a site's connectors could serve."""

    def total(name: str, labels: str, family: n.Family) -> Recording:
        return Recording(f"network:chargewatch_window_{name}:sum", f"sum by ({labels}) ({series(config, family)})")

    lost = f"sum by (site, window) ({series(config, n.SITE_WINDOW_SECONDS, LOST)})"
    every = f"sum by (site, window) ({series(config, n.SITE_WINDOW_SECONDS, EVERY)})"
    return Group(
        "reports",
        [
            total("connector_seconds", "window, state", n.SITE_WINDOW_SECONDS),
            total("revenue", "window, currency", n.SITE_WINDOW_REVENUE),
            Recording("site:chargewatch_window_available:ratio", f"1 - {lost} / ({every} > 0)"),
        ],
    )
