"""The door to grafana-foundation-sdk: the only module that imports its dashboard model.

It warns at import that schema 2 exists. The classic model is what Grafana 10 to 13 all read from files, so the warning stops here.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from grafana_foundation_sdk.models import bargauge, common, dashboard, prometheus, stat, statetimeline, table, text, timeseries

__all__ = ["bargauge", "common", "dashboard", "prometheus", "stat", "statetimeline", "table", "text", "timeseries"]
