"""Open transactions. Decided here: when one gives nothing, lasts too long, or contradicts its connector."""

from __future__ import annotations

from alerts.detectors.rules.view import View, counted, kw, kwh, lasting
from alerts.finding import Evidence, Finding
from alerts.signals.connector import ConnectorSignals, OpenTransaction
from chargenet.model.words import ConnectorStatus

AVAILABLE, PREPARING = ConnectorStatus.AVAILABLE.value, ConnectorStatus.PREPARING.value
WAITING = frozenset({"SuspendedEV", "SuspendedEVSE", "EVConnected", "Idle", "Finishing", "Faulted", "Reserved", "Unavailable"})
"""States in which nothing flows for a reason that is said, or that another rule judges."""


def zombie(view: View, transaction: OpenTransaction) -> Finding | None:
    """Nothing flows `zombie_after_s` after the start, though nothing says why. Not knowing is not the same as nothing."""
    settings, age_s = view.settings, view.lasts_s(transaction.started_at)
    if age_s < settings.zombie_after_s or transaction.offline or not transaction.accepted:
        return None
    connector, state = view.connector_of(transaction), _state(view, transaction)
    if state in WAITING or _gave(view, transaction) or (transaction.soc_percent or 0.0) >= settings.zombie_soc_percent:
        return None
    if connector is not None and connector.status == AVAILABLE:
        return None
    measured = _measured_s(transaction)
    score = 1.0
    if measured < settings.zombie_after_s / 2:  # no reading that could show anything
        usual_s = connector.reading_every_s if connector is not None else None
        if state != PREPARING and (usual_s is None or age_s < settings.zombie_readings * usual_s):
            return None
        score = 0.8
    elif transaction.power_w is None and transaction.energy_wh is None:
        return None
    return view.found(
        "zombie_transaction",
        transaction.connector,
        began_at=transaction.started_at,
        score=score,
        summary=f"nothing has flowed in {lasting(age_s)} since the transaction began",
        evidence=[_start(view, transaction), *_readings(view, transaction, connector, state)],
    )


def eternal(view: View, transaction: OpenTransaction) -> Finding | None:
    """Open for days."""
    age_s, limit_s = view.lasts_s(transaction.started_at), view.settings.eternal_after_s
    connector = view.connector_of(transaction)
    if age_s < limit_s or (connector is not None and connector.status == AVAILABLE):
        return None
    return view.found(
        "eternal_transaction",
        transaction.connector,
        began_at=transaction.started_at,
        summary=f"a transaction has been open for {lasting(age_s)}",
        evidence=[_start(view, transaction), *_readings(view, transaction, connector, _state(view, transaction))],
    )


def on_available(view: View, transaction: OpenTransaction) -> Finding | None:
    """The connector says Available; the transaction is open, or even goes on giving readings."""
    connector, settings = view.connector_of(transaction), view.settings
    if connector is None or connector.status != AVAILABLE or connector.status_at is None:
        return None
    since = max(connector.status_at, transaction.started_at)
    read_on = transaction.reading_at is not None and transaction.reading_at > since
    lasts_s = view.lasts_s(since)
    if lasts_s < settings.available_after_s or (lasts_s > settings.available_until_s and not read_on):
        return None
    after = transaction.started_at >= connector.status_at
    summary = "a transaction runs while it says Available" if after or read_on else "the end of a transaction was never reported"
    said = f"It has said Available since {view.when(connector.status_at)}."
    return view.found(
        "transaction_on_available",
        transaction.connector,
        began_at=since,
        score=1.0 if read_on else 0.8,
        summary=summary,
        evidence=[
            Evidence(what=said, value=AVAILABLE, sequences=connector.status_sequences),
            _start(view, transaction),
            *_readings(view, transaction, connector, None),
        ],
    )


def _gave(view: View, transaction: OpenTransaction) -> bool:
    """Energy or power was seen, or its register ran backwards, which is another rule's matter."""
    if transaction.register_wh is not None and transaction.energy_wh is None:
        return True
    if (transaction.energy_wh or 0.0) >= view.settings.zombie_wh:
        return True
    return (transaction.power_peak_w or 0.0) >= view.settings.zombie_w


def _state(view: View, transaction: OpenTransaction) -> str | None:
    """What it says of itself: 2.x in the transaction, 1.6 by the connector's status."""
    if transaction.charging_state is not None:
        return transaction.charging_state
    connector = view.connector_of(transaction)
    return None if connector is None else connector.status


def _measured_s(transaction: OpenTransaction) -> float:
    """How long after the start the last reading came; 0 without one."""
    if transaction.reading_at is None:
        return 0.0
    return (transaction.reading_at - transaction.started_at).total_seconds()


def _start(view: View, transaction: OpenTransaction) -> Evidence:
    what = f"Transaction {transaction.transaction_id} began at {view.when(transaction.started_at)}."
    return Evidence(what=what, value=transaction.transaction_id, sequences=(transaction.started_sequence,))


def _readings(view: View, transaction: OpenTransaction, connector: ConnectorSignals | None, state: str | None) -> list[Evidence]:
    told = []
    if transaction.reading_at is None:
        usual_s = None if connector is None else connector.reading_every_s
        usual = "" if usual_s is None else f"; usually one comes every {lasting(usual_s)}"
        told.append(Evidence(what=f"No reading has come{usual}.", value=0, unit="readings"))
    else:
        energy = transaction.energy_wh
        parts = [] if energy is None else [f"{kwh(energy)} in total"]
        parts += [] if transaction.power_w is None else [f"{kw(transaction.power_w)} now"]
        what = f"{counted(transaction.readings, 'reading')}, the last at {view.when(transaction.reading_at)}"
        what += f": {', '.join(parts)}." if parts else ", without energy or power."
        told.append(Evidence(what=what, value=energy, unit="Wh", sequences=(transaction.reading_sequence,)))
    if state is not None:
        shown = (
            (transaction.charging_state_sequence,)
            if transaction.charging_state
            else connector.status_sequences
            if connector
            else ()
        )
        told.append(Evidence(what=f"It says {state}.", value=state, sequences=shown))
    return told
