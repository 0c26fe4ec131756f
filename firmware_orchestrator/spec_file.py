"""The shape of a rollout's file: its sections, its keys, and how values are spelled. What they mean is spec.py's to say, and
docs/rollouts.md says it to people."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from firmware_orchestrator.waves import Size

Names = tuple[Annotated[str, Meta(min_length=1, max_length=255)], ...]
_DURATION = re.compile(r"(\d{1,6})\s*(s|m|min|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which charge points. Every list that is given must fit; inside a list, one that fits is enough, but for `tags`: all."""

    all: bool = False
    sites: Names = ()
    vendors: Names = ()
    models: Names = ()
    firmware: Names = ()
    tags: Names = ()
    charge_points: Names = ()


class WavesSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many at a time."""

    sizes: Annotated[tuple[str, ...], Meta(min_length=2, max_length=20)] = ("10", "50", "250", "rest")
    """Counts, shares or `rest`, see `size`."""
    holdout: str | None = None
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] | None = None


class SoakSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a wave is watched."""

    at_least: str | None = None
    """Lengths of time, see `length`."""
    at_most: str | None = None


class WindowEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One window or one quiet time."""

    begins: str = msgspec.field(name="from")
    """Times of day, see `wall_time`."""
    ends: str = msgspec.field(name="to")
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] | None = None


class WindowsSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When, by the clock of each site."""

    open: Annotated[tuple[WindowEntry, ...], Meta(max_length=50)] = ()
    quiet: Annotated[tuple[WindowEntry, ...], Meta(max_length=50)] = ()
    time_zone: str | None = None
    time_left: str | None = None


class CapsSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many updates may be under way."""

    per_site: str = "1"
    """A count or a share of the charge points of a site."""
    overall: Annotated[int, Meta(ge=1, le=10_000)] = 20


class RetriesSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often is tried again, by the class of the failure."""

    delays: Annotated[tuple[str, ...], Meta(min_length=1, max_length=10)] | None = None
    tries: dict[str, Annotated[int, Meta(ge=0, le=10)]] = {}


class PatienceSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long each stage of an update may last, see `length`; steps.Times has the defaults and says what follows."""

    answer: str | None = None
    download: str | None = None
    scheduled: str | None = None
    install: str | None = None
    boot: str | None = None
    verify: str | None = None
    lost: str | None = None
    reach: str | None = None
    """How long a wave waits for charge points that cannot be reached."""


class SpecFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    artifact: Annotated[str, Meta(min_length=1, max_length=100)]
    target: Selection
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    leave_out: Selection = Selection()
    waves: WavesSection = WavesSection()
    soak: SoakSection = SoakSection()
    gate: dict[str, Any] = {}
    windows: WindowsSection = WindowsSection()
    caps: CapsSection = CapsSection()
    retries: RetriesSection = RetriesSection()
    patience: PatienceSection = PatienceSection()
    approve_before: tuple[str, ...] = ()
    offline: Literal["leave_out", "wait"] = "leave_out"
    availability: Literal["leave", "close"] = "leave"


def length(text: str) -> timedelta:
    """`45s`, `90m`, `24h`, `14d`. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("expected a length of time such as 90m, 24h or 14d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def wall_time(text: str) -> time:
    """`22:30`, or `24:00` for midnight. Raises ValueError."""
    match = _CLOCK.fullmatch(text)
    hour, minute = (int(match[1]), int(match[2])) if match else (25, 0)
    if hour > 24 or (hour == 24 and minute):
        raise ValueError("expected a time of day such as 22:30")
    return time(hour % 24, minute)


def size(text: str) -> Size:
    """`10`, `5 %` or `rest`. Raises ValueError."""
    number = text.removesuffix("%").strip()
    if text == "rest":
        return Size()
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", number) or ("." in number and number == text):
        raise ValueError("expected a count (10), a share (5 %) or the word rest")
    if number == text:
        return Size(int(text))
    if not 0 <= float(number) <= 100:
        raise ValueError("a share is between 0 % and 100 %")
    return Size(share=float(number) / 100)
