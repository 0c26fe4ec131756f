"""Thresholds of the rules, each with its reason. Decided here: the defaults; not what is compared with them."""

from __future__ import annotations

import msgspec


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in seconds, energies Wh, powers W."""
