"""The pictures in docs/pictures: `python -m tests.support.pictures docs/pictures` fills both servers and draws every board."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

from dashboards.boards import BOARDS
from dashboards.build import json_of
from dashboards.preview import preview
from tests.support.seeded_servers import VIEW, seeded_servers

CHOSEN = {"site": "north.gate", "charge_point": "NG-2", "connector": "1", "vendor": "Wallbe", "model": "Eco 2"}


def main(folder: Path) -> None:
    """Write them."""
    with tempfile.TemporaryDirectory() as work, seeded_servers(Path(work)) as servers:
        view = msgspec.structs.replace(VIEW, points=720)
        for board in map(json_of, BOARDS):
            many = {each["name"] for each in board["templating"]["list"] if each.get("multi")}
            given = {name: value for name, value in CHOSEN.items() if name not in many}
            print(*preview([board], given, view, servers.sources, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
