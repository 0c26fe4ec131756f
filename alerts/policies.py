"""How the cases of each kind behave, as data. Decided here: what explains what, and which kinds wait for a good session.

A kind that is not named here behaves as `DEFAULT`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from alerts.cases import Policy

_WIDE = frozenset({"site_offline", "vendor_offline", "network_offline"})
_GONE = _WIDE | {"offline"}
"""Without a connection, whatever is not said any more is explained."""

DAY = 86_400.0
DEFAULT = Policy(explained_by=_GONE)
_HARD = Policy(clear_s=60.0)
"""What the charge point itself says is wrong is wrong whether or not it is connected."""
_COUNTED = Policy(clear_s=300.0)
"""Findings that count events of a while: they end when the last of them is old."""
_SESSIONS = Policy(needs_good_session=True, cool_down_s=DAY, explained_by=_GONE | {"safety_fault", "faulted"})
"""What is said of sessions is disproved by sessions, of which there may be few a day."""

POLICIES: Mapping[str, Policy] = {
    "network_offline": Policy(clear_s=60.0),
    "vendor_offline": Policy(clear_s=60.0),
    "site_offline": Policy(clear_s=60.0),
    "offline": Policy(clear_s=30.0, explained_by=_WIDE),
    "connection_flapping": Policy(clear_s=300.0, explained_by=_WIDE),
    "reboot_loop": _COUNTED,
    "safety_fault": _HARD,
    "faulted": _HARD,
    "fault_flapping": _COUNTED,
    "register_backwards": _COUNTED,
    "register_frozen": _COUNTED,
    "meter_jump": _COUNTED,
    "security_event": _COUNTED,
    "unexpected_firmware": _COUNTED,
    "firmware_failed": _COUNTED,
    "authorization_rejects": _COUNTED,
    "zero_energy": _SESSIONS,
    "failing_attempts": _SESSIONS,
    "power_derated": Policy(needs_good_session=True, cool_down_s=DAY, explained_by=_GONE),
    "silent": Policy(needs_good_session=True, cool_down_s=DAY, explained_by=_GONE),
    "unusual": Policy(clear_s=0.0, cool_down_s=14 * DAY, explained_by=_GONE),
}


LONGEST_COOL_DOWN_S = max(policy.cool_down_s for policy in (DEFAULT, *POLICIES.values()))


def policy_of(speed: float) -> Mapping[str, Policy]:
    """The policies, their durations divided by `speed`: for networks that live faster than real ones."""
    if speed == 1.0:
        return POLICIES
    return {kind: _faster(policy, speed) for kind, policy in POLICIES.items()}


def _faster(policy: Policy, speed: float) -> Policy:
    return msgspec.structs.replace(
        policy, clear_s=policy.clear_s / speed, cool_down_s=policy.cool_down_s / speed, forget_s=policy.forget_s / speed
    )
