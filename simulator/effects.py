"""What a bad firmware does to its charge point while it runs. Decided here: when, by the rates of its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.image import Image
from simulator.plug import FAULTS

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

_DAY_S = 86_400.0


async def suffer(point: ChargePoint, image: Image) -> None:
    """Troubles, as long as `point` runs `image`."""
    troubles = image.troubles
    weights = (troubles.faults_per_day, troubles.offline_per_day, troubles.boots_per_day)
    while True:
        await point.pace.sleep(point.chance.expovariate(troubles.any_rate / _DAY_S))
        if point.image is not image:
            return
        [what] = point.chance.choices(("fault", "offline", "boot"), weights)
        if what == "fault":
            plug = point.chance.choice(list(point.plugs.values()))
            await plug.break_down(point.chance.choice(FAULTS), point.chance.expovariate(1.0 / point.scenario.fault_s))
        elif what == "offline":
            point.go_offline()
            await point.pace.sleep(troubles.offline_s)
            point.come_back()
        else:
            await point.reboot("Watchdog", "PowerLoss")
