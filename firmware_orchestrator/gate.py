"""Does the next wave go? Decided here: PASS, FAIL, INCONCLUSIVE or ERROR, each with sentences that say why. Pure.

FAIL: the evidence, or a hard rule, says that the new firmware is worse. ERROR: it cannot be judged (stale or absent data).
PASS: the wave has soaked and it is proven not to be `rule_out` times worse. INCONCLUSIVE: none of these yet; with `hold`, a person
must decide. The worst of what holds is the verdict, and no data is never PASS.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, inf, isnan, log

import msgspec

from firmware_orchestrator.evidence import mixture
from firmware_orchestrator.evidence.horizon import CanaryProof, what_the_canary_can_prove
from firmware_orchestrator.evidence.policy import GatePolicy, HardRules
from firmware_orchestrator.evidence.signals import INSTALL_SIGNALS, RATES, TABLE, Signal
from firmware_orchestrator.evidence.state import GateState, Observed, Override, Peak, days, decode, encode, fold, log_total

__all__ = [
    "CanaryProof",
    "GatePolicy",
    "GateState",
    "HardRules",
    "Moment",
    "Observed",
    "Outcome",
    "Override",
    "Reason",
    "Signal",
    "SignalEvidence",
    "Verdict",
    "decode",
    "encode",
    "fold",
    "judge",
    "override",
    "what_the_canary_can_prove",
]


class Outcome(StrEnum):
    """What the gate says of a wave."""

    PASS = "PASS"  # noqa: S105 - a verdict
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    FAIL = "FAIL"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rollout stands when it is judged."""

    now: datetime
    wave: int
    """0 is the canary."""
    pending: int
    """Charge points of the wave whose installation has neither ended nor been verified."""
    soaking_at: datetime | None = None
    """When the last of the wave came back with the new version; None while one is pending."""
    models: tuple[str, ...] = ()
    """Models in the wave."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One of the reasons of a verdict. `code`: evidence, installations, lost, boot_loops, safety_codes, invalid_signature, no_data,
    broken, no_control, installing, soaking, not_proven, sessions, max_soak, proven or overridden."""

    code: str
    sentence: str
    signal: Signal | None = None


class SignalEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One signal as it is shown and exported. For installations, `treated` failed of `control` finished."""

    signal: Signal
    label: str
    share: float
    """Of the bet; 0: only observed."""
    e: float
    e_first: float
    """The same bet on each charge point's first event alone, exact whatever the charge points are like."""
    treated: int
    control: int
    treated_days: float
    control_days: float
    ratio: float | None
    """Events against those of the control group, each in its own rates; None while the control group had none."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says, and why. `hold`: a person must decide. `resumes`: ends by itself when data comes back."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    wave: int
    at: datetime
    sequence: int
    e: float
    """The highest since a person last overrode it."""
    limit: float
    proof: float
    """Evidence that it is not `rule_out` times worse."""
    proof_limit: float
    rule_out: float
    hold: bool = False
    resumes: bool = False
    signals: tuple[SignalEvidence, ...] = ()

    @property
    def sentence(self) -> str:
        """All reasons."""
        return "; ".join(reason.sentence for reason in self.reasons)

    @property
    def code(self) -> str:
        """The first reason as a word."""
        return self.reasons[0].code


def judge(policy: GatePolicy, state: GateState, moment: Moment) -> Verdict:
    """The verdict on a wave. Pure: the same arguments, the same verdict."""
    raise NotImplementedError
