"""Boards into a Grafana that cannot read files, by its HTTP API. Decided here: when a board is written. How: grafana.py.

Idempotent: a board is written only where it differs from what is there. Blocking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dashboards.grafana import FOLDER_UID, Grafana

GIVEN_BY_GRAFANA = ("id", "version")
"""What Grafana adds to a board that it stores."""


class Pushed(msgspec.Struct, frozen=True):
    """What became of one board; with a dry run, what would. `what`: created, updated or unchanged."""

    uid: str
    title: str
    what: str


def push(boards: Sequence[Mapping[str, Any]], grafana: Grafana, *, dry_run: bool) -> list[Pushed]:
    """Bring every board to Grafana. Raises Unavailable, GrafanaRefused; what was written before stays."""
    if not grafana.folder_is_there() and not dry_run:
        grafana.make_folder()
    done = []
    for board in boards:
        what = _due(board, grafana.board(board["uid"]))
        if what != "unchanged" and not dry_run:
            grafana.write(board)
        done.append(Pushed(board["uid"], board["title"], what))
    return done


def _due(board: Mapping[str, Any], there: tuple[Mapping[str, Any], str] | None) -> str:
    if there is None:
        return "created"
    stored, folder = there
    same = {name: value for name, value in stored.items() if name not in GIVEN_BY_GRAFANA} == dict(board)
    return "unchanged" if same and folder == FOLDER_UID else "updated"
