"""`chargewatch firmware demo-images`: firmware to try rollouts with, for simulated charge points."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import note, print_json
from chargewatch.cli.session import Data, Json


def demo_images(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them; made if it is not there.")],
    speed: Annotated[
        float, typer.Option(min=1, max=1000, help="How many times faster than life the network is, as `demo` was told.")
    ] = 10.0,
    data: Data = None,
    json: Json = False,
) -> None:
    """Write a good, a bad and a former firmware for simulated charge points, with manifests, rollout files and STEPS.txt.

    STEPS.txt has the commands to type, with the folder of the platform where `--data` names it.

    Example: chargewatch firmware demo-images demo-firmware --speed 60
    """
    from chargewatch.demo.images import write_images  # knows the simulator, which other commands do not need

    try:
        written = write_images(folder, speed, data)
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be written: {error.strerror or error}", Exit.USAGE) from error
    if json:
        print_json([str(path) for path in written])
        return
    for path in written:
        note(f"wrote {path}")
    note(f"what to type next: {folder / 'STEPS.txt'}")
