"""The programs that run beside the collector, and what `rebuild` must know of them. Decided here: which there are,
and what each gets.

Each program's `app.py` joins its own parts; this module alone knows all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chargenet.ports import Program, Projection
from chargenet.storage.relational_engine import Database

if TYPE_CHECKING:
    from chargewatch.platform import RunningPlatform


def read_models(database: Database) -> list[Projection]:
    """Read models of the programs: dropped and made again by `rebuild`, run with the others while the platform runs."""
    return []


def make_programs(platform: RunningPlatform) -> list[Program]:
    """What runs with the platform. Called on its event loop, once everything that a program may use is there."""
    return []
