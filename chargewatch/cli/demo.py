"""`chargewatch demo`: a live charging network in one command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from chargenet.observe import logs


def demo(
    charge_points: Annotated[int, typer.Option(min=1, max=5000, help="Size of the simulated network.")] = 60,
    minutes: Annotated[float | None, typer.Option(min=0.05, help="End after so many minutes. \\[default: at Ctrl-C]")] = None,
    port_base: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65534,
            metavar="P",
            help="OCPP on port P, HTTP on P+1. \\[default: 9000 and 8080, others where they are taken]",
        ),
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Let the network live so many times faster.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Another seed, another network.")] = 1,
) -> None:
    """Watch a live charging network: the real platform, and a simulated network that connects to it over real WebSockets.

    Mixed vendors in OCPP 1.6, 2.0.1 and 2.1; sessions, faults, a flapping connector, an offline site. Everything is in a
    temporary folder that is removed at the end. Without a terminal, one line every 5 s.

    Example: chargewatch demo --charge-points 200 --minutes 10
    """
    import uvloop  # the door to the loop: imported where one is started

    from chargewatch.demo.run import DemoOptions, run_demo  # everything heavy, not needed by the other commands

    logs.configure(sys.stderr, level="ERROR", as_json=False)
    options = DemoOptions(charge_points=charge_points, minutes=minutes, port_base=port_base, speed=speed, seed=seed)
    uvloop.run(run_demo(options, Console()))
