"""Alerts on firmware rollouts. Decided here: what they do not tell themselves.

A rollout that is halted or held pages through the relay the moment it happens, with its evidence. These are reminders, and what is
wrong with the judging itself.
"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.rules.config import RuleConfig
from dashboards.rules.model import WARNING, Alert, Group, series

_ROLLOUT = {"layer": "rollout"}


# A list of alerts with their texts, to be read as one.
def rollouts(config: RuleConfig) -> Group:
    """All of them."""
    halted, held, unknown = 'state="halted"', 'state="held"', 'verdict="ERROR"'
    return Group(
        "rollouts",
        [
            _alert(
                "RolloutHaltedUnattended",
                f"max by (rollout, version, reason) ({series(config, n.ROLLOUT_STATE, halted)}) == 1",
                "A firmware rollout was halted, and nobody has decided what becomes of it.",
                "Rollout {{ $labels.rollout }} of {{ $labels.version }} is halted ({{ $labels.reason }}). "
                "Charge points that have the new firmware keep it until somebody rolls back.",
                config.unattended_s,
            ),
            _alert(
                "RolloutHeldLong",
                f"max by (rollout, version, reason) ({series(config, n.ROLLOUT_STATE, held)}) == 1",
                "A firmware rollout has been waiting for a person or for data for a long time.",
                "Rollout {{ $labels.rollout }} of {{ $labels.version }} waits: {{ $labels.reason }}.",
                config.held_s,
            ),
            _alert(
                "RolloutWithoutVerdict",
                f"max by (rollout, wave, reason) ({series(config, n.ROLLOUT_VERDICT, unknown)}) == 1",
                "The gate of a firmware rollout cannot judge: its evidence is missing or contradicts itself.",
                "Wave {{ $labels.wave }} of rollout {{ $labels.rollout }}: {{ $labels.reason }}. Nothing more is sent meanwhile.",
                1800.0,
            ),
            _alert(
                "RolloutsNotWorking",
                f"min by (instance) ({series(config, n.FIRMWARE_WORKING)}) == 0",
                "Rollouts are neither judged nor carried on.",
                "The firmware program of {{ $labels.instance }} does not work. Updates that were ordered run on unjudged.",
                300.0,
                board=uids.PLATFORM,
            ),
            _alert(
                "FirmwareFileDamaged",
                f"max by (instance) ({series(config, n.FIRMWARE_DAMAGED)}) > 0",
                "A firmware file on disk is not the one that was approved; it is served to nobody.",
                "{{ $value }} files of {{ $labels.instance }} are not as they were added: a broken disk, or tampering.",
                0.0,
                board=uids.PLATFORM,
            ),
        ],
    )


def _alert(name: str, expr: str, summary: str, description: str, for_s: float, *, board: str = uids.ROLLOUT) -> Alert:
    return Alert(
        name=name,
        expr=expr,
        severity=WARNING,
        summary=summary,
        description=description,
        for_s=for_s,
        board=board,
        variables={"rollout": "rollout"} if board == uids.ROLLOUT else {},
        labels=_ROLLOUT,
    )
