"""Hours of connectors as line protocol, pure. Decided here: their schema in InfluxDB.

    connector_hour,charge_point=,connector= site="",revision=…i,total_s=…i,…,energy_wh=…i,sessions=…i,revenue_EUR=… time

Tags and hour are a point's identity, so an hour that is restated overwrites what was there. The site is a field for that reason:
as a tag, an hour that is restated after its charge point has moved would be there twice. Revenue is a field per currency, in whole
units of it, and is there only where an hour has CDRs.
"""

from __future__ import annotations

from chargenet.model.record import microseconds
from chargenet.ports import ConnectorHour
from chargenet.storage.lineprotocol import escaped, quoted, tag_text
from chargenet.storage.points import cut

CONNECTOR_HOUR = "connector_hour"
COUNTS = tuple(
    name for name in ConnectorHour.__struct_fields__ if name not in ("charge_point", "connector", "site", "hour", "revenue")
)


def hour_line(hour: ConnectorHour) -> str:
    """One line, its time in nanoseconds."""
    tags = f"charge_point={escaped(tag_text(hour.charge_point))},connector={escaped(tag_text(hour.connector))}"
    counts = ",".join(f"{name}={getattr(hour, name)}i" for name in COUNTS)
    revenue = "".join(f",revenue_{escaped(tag_text(name))}={amount:f}" for name, amount in hour.revenue.items())
    return f"{CONNECTOR_HOUR},{tags} site={quoted(cut(hour.site))},{counts}{revenue} {microseconds(hour.hour)}000"
