"""Which value of the energy register belongs to a transaction event. Decided here: by its context, else by its place in time."""

from __future__ import annotations

from chargenet.events import MeasurementsTaken
from chargenet.model.measurement import ENERGY_REGISTER

_LARGEST_WH = 2**53
"""Above it a float no longer counts single watt-hours: such a register is not one."""


def register_wh(taken: list[MeasurementsTaken], context: str | None) -> int | None:
    """The overall energy register in Wh: the one said to be of `context`, else the first of a start and the last of anything else.

    Values of one phase, and of a place other than the outlet where the outlet has one, are not the transaction's.
    """
    found: list[tuple[str, str, float]] = [
        (m.context, m.location, m.value)
        for event in taken
        for m in event.measurements
        if m.measurand == ENERGY_REGISTER and m.phase is None
    ]
    if not found:
        return None
    found = [entry for entry in found if entry[1] == "Outlet"] or found
    candidates = [value for said, _, value in found if said == context] or [value for _, _, value in found]
    value = candidates[0] if context == "Transaction.Begin" else candidates[-1]
    return round(value) if abs(value) < _LARGEST_WH else None
