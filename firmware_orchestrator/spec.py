"""A rollout as it is wanted. Decided here: what the words of a rollout's file mean, which of them contradict each other, and the
defaults; the shape of the file is spec_file.py's.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from firmware_orchestrator import spec_file, strict_yaml
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.fleet import FleetMember
from firmware_orchestrator.manifest import fits
from firmware_orchestrator.retry import Failure, Retries
from firmware_orchestrator.spec_file import Selection, SpecFile
from firmware_orchestrator.steps import Times
from firmware_orchestrator.strict_yaml import Document, Path, parsed
from firmware_orchestrator.waves import Size
from firmware_orchestrator.windows import WEEKDAYS, Schedule, Window

CANARY, LAST = "canary", "last"
SMALLEST_HOLDOUT, HOLDOUT_SHARE, HOLDOUT_LIMIT = 20, 0.05, 0.2
TIME_LEFT = timedelta(minutes=30)


class Caps(msgspec.Struct, frozen=True):
    """Updates under way at the same time."""

    per_site: Size
    overall: int

    def at_site(self, charge_points: int) -> int:
        """Of a site with so many charge points; never less than one, or nothing would ever move."""
        count = self.per_site.count
        return max(1, count if count is not None else math.floor((self.per_site.share or 0) * charge_points))


class RolloutSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A checked rollout file."""

    name: str
    artifact: str
    """The id of the artifact."""
    target: Selection
    leave_out: Selection
    sizes: tuple[Size, ...]
    holdout: Size | None
    """None: see `holdout_of`."""
    seed: int | None
    """None: made from the name and the artifact."""
    policy: GatePolicy
    schedule: Schedule
    time_zone: str | None
    """Of sites that have none of their own."""
    time_left: timedelta
    """Nothing begins when a window closes sooner than this."""
    caps: Caps
    retries: Retries
    times: Times
    approve_before: tuple[int, ...]
    """Waves that a person must approve before they begin; 0 is the canary, −1 the last wave."""
    wait_for_offline: bool
    """Charge points that are offline at planning get a place and are waited for."""
    close_connectors: bool
    """Take connectors out of service before the update, and put them back after it."""

    def needs_approval(self, wave: int, waves: int) -> bool:
        """Must a person say yes before `wave` of `waves` begins?"""
        return wave in self.approve_before or (-1 in self.approve_before and wave == waves - 1)

    def zone_of(self, time_zone: str | None) -> ZoneInfo | None:
        """The clock of a site; None where there is none although the schedule needs one."""
        name = time_zone or self.time_zone
        zone = known_zone(name) if name is not None else None
        if zone is None and not (self.schedule.windows or self.schedule.quiet):
            return ZoneInfo("UTC")
        return zone

    def holdout_of(self, total: int) -> Size:
        """As the file says; else 5 %, at least 20, at most a fifth."""
        if self.holdout is not None:
            return self.holdout
        wanted = max(SMALLEST_HOLDOUT, math.ceil(HOLDOUT_SHARE * total))
        return Size(min(wanted, math.floor(HOLDOUT_LIMIT * total)))


def selects(selection: Selection, member: FleetMember) -> bool:
    """Does it name this charge point? A selection that names nothing names nobody."""
    if not named(selection):
        return selection.all
    lists = (
        (selection.sites, member.site_id),
        (selection.vendors, member.vendor),
        (selection.models, member.model),
        (selection.firmware, member.firmware_version),
        (selection.charge_points, member.charge_point_id),
    )
    if any(globs and not any(fits(glob, value or "") for glob in globs) for globs, value in lists):
        return False
    return all(any(fits(glob, tag) for tag in member.tags) for glob in selection.tags)


def known_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, None when there is none of it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of names
        return None


def named(selection: Selection) -> bool:
    """Does it have any criterion?"""
    return any(getattr(selection, name) for name in ("sites", "vendors", "models", "firmware", "tags", "charge_points"))


def parse_spec(text: str, source: str = "rollout.yaml") -> RolloutSpec:
    """The rollout that a file wants. Raises InvalidFile with line, key and sentence. Some milliseconds for a long file."""
    document = strict_yaml.read(text, source)
    file = strict_yaml.convert(document, SpecFile)
    if not named(file.target) and not file.target.all:
        raise document.wrong(("target",), "names nobody: give sites, vendors, models, firmware, tags, charge_points, or all: true")
    sizes = _sizes(document, file)
    windows = file.windows
    schedule = Schedule(windows=_windows(document, "open", windows.open), quiet=_windows(document, "quiet", windows.quiet))
    _check_zone(document, windows.time_zone)
    time_left = _length(document, ("windows", "time_left"), windows.time_left)
    return RolloutSpec(
        name=file.name or file.artifact,
        artifact=file.artifact,
        target=file.target,
        leave_out=file.leave_out,
        sizes=sizes,
        holdout=_holdout(document, file.waves.holdout),
        seed=file.waves.seed,
        policy=_policy(document, file),
        schedule=schedule,
        time_zone=windows.time_zone,
        time_left=TIME_LEFT if time_left is None else time_left,
        caps=_caps(document, file),
        retries=_retries(document, file),
        times=_times(document, file),
        approve_before=_approvals(document, file, len(sizes)),
        wait_for_offline=file.offline == "wait",
        close_connectors=file.availability == "close",
    )


def _sizes(document: Document, file: SpecFile) -> tuple[Size, ...]:
    texts = file.waves.sizes
    sizes = tuple(parsed(document, ("waves", "sizes", at), text, spec_file.size) for at, text in enumerate(texts))
    for at, each in enumerate(sizes):
        path, last = ("waves", "sizes", at), at == len(sizes) - 1
        if each == Size() and not last:
            raise document.wrong(path, "rest can only stand at the end: nobody would be left for the next wave")
        if each != Size() and last:
            raise document.wrong(path, f"is {texts[at]!r}: the last wave must be rest, so that everybody has a place")
        if each.count == 0 or each.share == 0:
            raise document.wrong(path, "a wave of nobody")
    return sizes


def _holdout(document: Document, text: str | None) -> Size | None:
    if text is None:
        return None
    size = parsed(document, ("waves", "holdout"), text, spec_file.size)
    if size == Size() or (size.share or 0) > 0.9:
        raise document.wrong(("waves", "holdout"), f"is {text!r}: nobody would be updated")
    return size


def _windows(document: Document, key: str, entries: tuple[spec_file.WindowEntry, ...]) -> tuple[Window, ...]:
    windows = []
    for at, each in enumerate(entries):
        path: Path = ("windows", key, at)
        opens = parsed(document, (*path, "from"), each.begins, spec_file.wall_time)
        closes = parsed(document, (*path, "to"), each.ends, spec_file.wall_time)
        if opens == closes and each.begins.strip() == each.ends.strip():
            raise document.wrong(path, f"begins and ends at {each.begins}: leave the entry out, or say from 00:00 to 24:00")
        if each.days is not None and not each.days:
            raise document.wrong((*path, "days"), "names no day")
        windows.append(Window(opens=opens, closes=closes, days=each.days or WEEKDAYS))
    return tuple(windows)


def _check_zone(document: Document, name: str | None) -> None:
    if name is not None and known_zone(name) is None:
        raise document.wrong(("windows", "time_zone"), f"is {name!r}, expected an IANA time zone such as Europe/Oslo")


def _length(document: Document, path: Path, text: str | None) -> timedelta | None:
    return None if text is None else parsed(document, path, text, spec_file.length)


def _policy(document: Document, file: SpecFile) -> GatePolicy:
    """The gate section, with the soak in its words."""
    for ours, theirs in (("at_least", "min_soak_hours"), ("at_most", "max_soak_hours")):
        if theirs in file.gate:
            raise document.wrong(("gate", theirs), f"is said by soak.{ours}")
    policy = strict_yaml.convert(document, GatePolicy, ("gate",)) if file.gate else GatePolicy()
    soak: dict[str, Any] = {}
    for ours, theirs in (("at_least", "min_soak_hours"), ("at_most", "max_soak_hours")):
        value = _length(document, ("soak", ours), getattr(file.soak, ours))
        if value is not None:
            soak[theirs] = value / timedelta(hours=1)
    try:
        return msgspec.convert(msgspec.to_builtins(policy) | soak, GatePolicy)
    except msgspec.ValidationError as error:
        problem = str(error).replace("max_soak_hours", "at_most").replace("min_soak_hours", "at_least")
        raise document.wrong(("soak",), problem) from error


def _caps(document: Document, file: SpecFile) -> Caps:
    size = parsed(document, ("caps", "per_site"), file.caps.per_site, spec_file.size)
    if size == Size() or size.count == 0 or size.share == 0:
        raise document.wrong(("caps", "per_site"), f"is {file.caps.per_site!r}, expected a count (1) or a share (25 %)")
    return Caps(size, file.caps.overall)


def _retries(document: Document, file: SpecFile) -> Retries:
    given, classes = file.retries, tuple(each.value for each in Failure)
    for name in given.tries:
        if name not in classes:
            raise document.wrong(("retries", "tries", name), f"is no class of failures; they are {', '.join(classes)}")
    usual = Retries()
    delays = tuple(
        parsed(document, ("retries", "delays", at), text, spec_file.length).total_seconds()
        for at, text in enumerate(given.delays or ())
    )
    return Retries(delays_s=delays or usual.delays_s, tries={**usual.tries, **given.tries})


def _times(document: Document, file: SpecFile) -> Times:
    """Patience, where the file says other than the defaults."""
    given = msgspec.structs.asdict(file.patience).items()
    lengths = {f"{name}_s": _length(document, ("patience", name), text) for name, text in given if text is not None}
    return Times(**{name: length.total_seconds() for name, length in lengths.items() if length is not None})


def _approvals(document: Document, file: SpecFile, waves: int) -> tuple[int, ...]:
    found = []
    for at, text in enumerate(file.approve_before):
        if text in (CANARY, LAST):
            found.append(0 if text == CANARY else -1)
        elif text.isascii() and text.isdigit() and 0 < int(text) < waves:
            found.append(int(text))
        else:
            expected = f"canary, last or a number from 1 to {waves - 1}"
            raise document.wrong(
                ("approve_before", at), f"is {text!r}, expected {expected}: there are {waves} waves, the canary is 0"
            )
    return tuple(found)
