"""Energy registers. Decided here: what a meter cannot do, and how much must have flowed before one counts as frozen."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.detectors.rules.view import View, kw, kwh, lasting
from alerts.finding import Evidence, Finding
from alerts.signals.connector import ConnectorSignals, OpenTransaction
from alerts.signals.marks import Step
from chargenet.model.words import ConnectorStatus

CHARGING = ConnectorStatus.CHARGING.value


def backwards(view: View, label: str | None, connector: ConnectorSignals) -> Finding | None:
    """The register ran backwards within a transaction, or from one to the next of a meter that counts a life."""
    drops = _kept(view, connector.drops)
    if not drops:
        return None
    last = drops[-1]
    return view.found(
        "register_backwards",
        label,
        began_at=drops[0].at,
        summary=f"the energy register fell from {kwh(last.before_wh)} to {kwh(last.after_wh)}",
        evidence=[
            Evidence(
                what=f"At {view.when(drop.at)} it went from {kwh(drop.before_wh)} to {kwh(drop.after_wh)}.",
                value=drop.after_wh,
                unit="Wh",
                expected=drop.before_wh,
                sequences=(drop.before_sequence, drop.sequence),
            )
            for drop in drops
        ],
    )


def jumped(view: View, label: str | None, connector: ConnectorSignals) -> Finding | None:
    """It rose by more than the connector can have given in that time."""
    jumps = [step for step in _kept(view, connector.jumps) if step.after_wh - step.before_wh > possible_wh(view, step)]
    if not jumps:
        return None
    last = jumps[-1]
    return view.found(
        "meter_jump",
        label,
        began_at=jumps[0].at,
        summary=f"the energy register rose by {kwh(last.after_wh - last.before_wh)} in {lasting(last.elapsed_s)}",
        evidence=[
            Evidence(
                what=f"At {view.when(jump.at)} it rose by {kwh(jump.after_wh - jump.before_wh)} in {lasting(jump.elapsed_s)}; "
                f"at most {kwh(possible_wh(view, jump))} can have flowed.",
                value=jump.after_wh - jump.before_wh,
                unit="Wh",
                expected=round(possible_wh(view, jump)),
                sequences=(jump.before_sequence, jump.sequence),
            )
            for jump in jumps
        ],
    )


def possible_wh(view: View, step: Step) -> float:
    """The most that a step may be: by the connector's own peak (but 22 kW at least, as it may never have met a hungry car)."""
    settings = view.settings
    most_w = settings.jump_power_w if step.peak_w is None else settings.jump_ratio * max(step.peak_w, 22_000.0)
    return settings.jump_wh + most_w * step.elapsed_s / 3600


def frozen(view: View, transaction: OpenTransaction) -> Finding | None:
    """Power flows by its own readings, and the register does not rise."""
    settings = view.settings
    if transaction.still < settings.frozen_count or transaction.grown_at is None or transaction.register_at is None:
        return None
    still_s = (transaction.register_at - transaction.grown_at).total_seconds()
    if still_s < settings.frozen_after_s:
        return None
    if transaction.flowed_wh >= settings.frozen_wh:
        score, how = 1.0, f"by its own power readings {kwh(transaction.flowed_wh)} have flowed"
    elif transaction.power_at is None and still_s >= settings.frozen_without_power_s and _charging(view, transaction):
        score, how = 0.6, "it says Charging, and reports no power"
    else:
        return None
    register = Evidence(
        what=f"The register has stood at {kwh(transaction.register_wh or 0.0)} since {view.when(transaction.grown_at)}, "
        f"over {transaction.still} readings.",
        value=transaction.register_wh,
        unit="Wh",
        sequences=(transaction.grown_sequence, transaction.register_sequence),
    )
    power_w, shown = transaction.power_w, (transaction.power_sequence,) if transaction.power_at is not None else ()
    now = "" if power_w is None else f", {kw(power_w)} now"
    flowed = Evidence(what=f"Meanwhile {how}{now}.", value=round(transaction.flowed_wh), unit="Wh", expected=0.0, sequences=shown)
    return view.found(
        "register_frozen",
        transaction.connector,
        began_at=transaction.grown_at,
        score=score,
        summary=f"the energy register has stood still for {lasting(still_s)} while power flows",
        evidence=[register, flowed],
    )


def _charging(view: View, transaction: OpenTransaction) -> bool:
    connector = view.connector_of(transaction)
    return (transaction.charging_state or (connector.status if connector else None)) == CHARGING


def _kept(view: View, steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if view.age_s(step.at) < view.settings.meter_kept_s]
