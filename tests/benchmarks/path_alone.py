"""The bar's own path and nothing beside it: `python -m tests.benchmarks.path_alone up --data DIR …`.

`chargewatch up` without its programs (alerts, firmware, billing, reports) and without the rollups that only they read: sockets,
journal, fleet metrics, telemetry, stations and transactions.
"""

from __future__ import annotations

from typing import Any

from billing_reports.rollup_projection import RollupProjection
from chargewatch import app
from chargewatch.cli import main
from chargewatch.platform import RunningPlatform


class PathAlone(RunningPlatform):
    """A platform that runs no program."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.programs = []
        self.projectors = [each for each in self.projectors if each.projection.name != RollupProjection.name]

    def _heartbeat(self, charge_point_id: str, at: float) -> None:
        self.fleet.touch(charge_point_id, at)


def leave_programs_out() -> None:
    """From now on `chargewatch up` of this process starts a PathAlone."""
    vars(app)["RunningPlatform"] = PathAlone


if __name__ == "__main__":
    leave_programs_out()
    main()
