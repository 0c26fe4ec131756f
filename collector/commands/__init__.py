"""Our commands as OCPP calls, and call results as outcomes: one action, one file per version."""

from __future__ import annotations

from collector.commands.directory import CSMS_INITIATED, actions
from collector.commands.outcomes import outcome
from collector.commands.translation import translate

__all__ = ["CSMS_INITIATED", "actions", "outcome", "translate"]
