"""The telemetry stores that the settings name. Apart from what else is opened: who needs only these does not wait for the rest."""

from __future__ import annotations

import random
from collections.abc import Callable

from chargenet.ports import Clock, Telemetry
from chargenet.settings import Settings
from chargenet.storage.embedded import EmbeddedTelemetry
from chargenet.storage.embedded_file import EmbeddedLimits
from chargewatch import layout


def open_telemetry(settings: Settings, clock: Clock, site_of: Callable[[str], str | None]) -> list[Telemetry]:
    """The telemetry stores, the one that answers queries first."""
    stores: list[Telemetry] = []
    if settings.telemetry.embedded:
        limits = EmbeddedLimits(retention_days=settings.telemetry.retention_days)
        stores.append(EmbeddedTelemetry(layout.telemetry_folder(settings), clock, limits=limits))
    if settings.influx.url is not None:
        from chargenet.storage.influx import InfluxTarget, InfluxTelemetry  # a third of a second, and seldom needed

        chosen = settings.influx
        target = InfluxTarget(
            url=settings.influx.url,
            bucket=chosen.bucket,
            org=chosen.org,
            token=chosen.token.reveal() if chosen.token else "",
            read_timeout_s=chosen.timeout_s,
        )
        stores.append(InfluxTelemetry(target, settings.data_dir, clock, random.random, site_of=site_of))
    return stores
