"""The pages behind signed links about rollouts. Pure. Decided here: their words."""

from __future__ import annotations

from html import escape

from chargewatch.api.link_page import page
from chargewatch.rollout_links import RolloutPurpose
from firmware_orchestrator.rows import Rollout

_P = RolloutPurpose
_ASK = {
    _P.APPROVE: ("Let it go on?", "Let it go on", "The rollout goes on, with the values of this moment on record."),
    _P.RESUME: (
        "Go on all the same?",
        "Go on all the same",
        "The gate halted this rollout. Going on overrides it: the evidence of this moment and your reason are kept.",
    ),
    _P.ABORT: ("Abort it?", "Abort", "Nothing more is sent. What is installed stays; what is under way is followed to its end."),
}
_DONE = {
    _P.APPROVE: ("It goes on", "The rollout runs again."),
    _P.RESUME: ("It goes on", "The gate was overridden; it watches on."),
    _P.ABORT: ("Aborted", "Nothing more is sent. What is installed stays."),
}
_WHY = '<p><label>Why? <input name="why" required maxlength="1000"></label></p>'


def asking(purpose: RolloutPurpose, rollout: Rollout) -> str:
    """What the link would do, and the button that does it."""
    title, button, means = _ASK[purpose]
    why = _WHY if purpose is _P.RESUME else ""
    form = f'<form method="post">{why}<button type="submit">{escape(button)}</button></form><p><small>{escape(means)}</small></p>'
    return page(title, form, _article(rollout))


def done(purpose: RolloutPurpose, rollout: Rollout) -> str:
    """What it did."""
    title, means = _DONE[purpose]
    return page(title, f"<p>{escape(means)}</p>", _article(rollout))


def _article(rollout: Rollout) -> str:
    head = f"{rollout.name} → {rollout.version}: {rollout.state}"
    return f'<article class="warning"><h2>{escape(head)}</h2><p>{escape(rollout.sentence)}</p></article>'
