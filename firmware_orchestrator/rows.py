"""A rollout and its device updates as they are stored. Decided here: what must survive a kill; not what any of it leads to.

Rows are values: a change makes a new one with `revision` + 1, and a store refuses a change of a row that has changed meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from chargenet.model.notice import Notice
from firmware_orchestrator.rollout import RolloutState, UpdateState, WaveState

HOLDOUT_WAVE = -1
CLOSING, CLOSED, RESTORING, RESTORED = "closing", "closed", "restoring", "restored"
"""Of connectors that a rollout takes out of service and puts back; "" where they were left alone."""


class WaveRow(msgspec.Struct, frozen=True, kw_only=True):
    """One wave. `size` counts its charge points; `overridden_by` is the person who let it pass without proof."""

    state: WaveState = WaveState.PENDING
    size: int = 0
    opened_at: datetime | None = None
    soaking_at: datetime | None = None
    ended_at: datetime | None = None
    overridden_by: str | None = None


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout. `spec` is its file as it was given; `reason` a word (evidence, hard_rule, no_data, approval, operator, …)."""

    rollout_id: str
    name: str
    state: RolloutState = RolloutState.DRAFT
    reason: str = ""
    sentence: str = ""
    """Why it stands as it does, for a person."""
    spec: str
    artifact_id: str
    version: str
    """The version that is to be installed, as the manifest expects it."""
    seed: int = 0
    approved_waves: tuple[int, ...] = ()
    wave: int = 0
    waves: tuple[WaveRow, ...] = ()
    created_at: datetime
    created_by: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    state_at: datetime | None = None
    rollback_of: str | None = None
    rolled_back_by: str | None = None
    revision: int = 0


class DeviceUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What one rollout wants of one charge point, and how far that is. `wave` −1: holdout."""

    rollout_id: str
    charge_point_id: str
    wave: int
    site_id: str | None = None
    time_zone: str | None = None
    model: str | None = None
    protocol: str | None = None
    """As it was when the rollout was made; its protocol may change with the firmware."""
    state: UpdateState = UpdateState.QUEUED
    state_at: datetime
    reason: str = ""
    """Why it waits, failed or was skipped: a sentence."""
    code: str = ""
    """The same as a word: offline, busy, window, cap, address, download, install, silent, signature, …"""
    from_version: str | None = None
    version: str | None = None
    """What it said it runs when it last booted."""
    attempt: int = 0
    """Attempts begun; 0 before the first."""
    request_id: int | None = None
    location: str | None = None
    """The one-time address of this attempt: our call is recognised by it in the journal."""
    form: str = ""
    """signed or plain; "" before the first attempt."""
    refused_forms: tuple[str, ...] = ()
    intent_at: datetime | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
    generation: int = 0
    """The connection that the call was sent over."""
    offline_since: datetime | None = None
    old_version_at: datetime | None = None
    """It booted with the old version while it was installing: an end, or a step of the installation."""
    heard: tuple[str, ...] = ()
    """Statuses already taken in for this attempt."""
    probed_at: datetime | None = None
    claimed_at: datetime | None = None
    verified_at: datetime | None = None
    retry_at: datetime | None = None
    availability: str = ""
    """closing, closed, restoring, restored; "" where it was left alone."""
    closed_at: datetime | None = None
    """When we took it out of service."""
    availability_before: tuple[str, ...] = ()
    """Connectors that were in service before we closed them."""
    revision: int = 0

    def __repr__(self) -> str:  # the address is as good as a password for one download
        return f"DeviceUpdate({self.rollout_id!r}, {self.charge_point_id!r}, {self.state}, attempt={self.attempt})"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a rollout's history. `charge_point_id` None: about the rollout. `sequence`: the journal record it rests on."""

    rollout_id: str
    at: datetime
    kind: str
    """rollout, wave, update, evidence, override, unsolicited, late, ignored."""
    charge_point_id: str | None = None
    before: str = ""
    after: str = ""
    sentence: str = ""
    who: str = ""
    sequence: int = 0
    details: dict[str, Any] = {}
    number: int = 0
    """Given by the store: the order of the history."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that is to be told; stored with the change that it is about, and removed once the relay has it."""

    number: int
    notice: Notice


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored in one SQL transaction, or not at all.

    `rollouts` and `updates` carry the revision that they were read with. `guards`: (rollout id, revision) that must still stand
    although the rollout itself is not changed: an intent is stored only while nobody has paused its rollout.
    """

    rollouts: tuple[Rollout, ...] = ()
    updates: tuple[DeviceUpdate, ...] = ()
    entries: tuple[Entry, ...] = ()
    notices: tuple[Notice, ...] = ()
    guards: tuple[tuple[str, int], ...] = ()
    evidence: dict[str, bytes] = {}
    """Rollout id → the state of its evidence."""
    position: tuple[int, int] | None = None
    """(from, to): the facts up to `to` are in this change."""

    @property
    def empty(self) -> bool:
        """Nothing in it."""
        return not (self.rollouts or self.updates or self.entries or self.notices or self.evidence or self.position)
