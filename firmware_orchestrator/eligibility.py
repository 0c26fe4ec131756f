"""Why a charge point cannot be updated by a rollout. Decided here: the order of the reasons (the first that holds is told) and that
doubt about compatibility keeps a charge point out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from chargenet.model.words import Protocol, Registration
from firmware_orchestrator.artifacts import MAX_URL
from firmware_orchestrator.fleet import FleetMember
from firmware_orchestrator.manifest import Manifest, fits, is_expected, normaliser_for
from firmware_orchestrator.spec import RolloutSpec, selects

MAX_URL_21 = 2000
"""OCPP 2.1; before, 512."""


class OutReason(StrEnum):
    """Why, as a word."""

    EXCLUDED = "excluded"
    BLOCKED = "blocked"
    ENGAGED = "engaged"
    """Another rollout wants it."""
    ALREADY_THERE = "already_there"
    INCOMPATIBLE = "incompatible"
    OLDER_FIRST = "older_first"
    """It must pass through another version."""
    DOWNGRADE = "downgrade"
    NO_FIRMWARE_PROFILE = "no_firmware_profile"
    NO_TRANSFER = "no_transfer"
    URL_TOO_LONG = "url_too_long"
    NO_TIME_ZONE = "no_time_zone"
    OFFLINE = "offline"


class Out(msgspec.Struct, frozen=True, kw_only=True):
    """A charge point that is targeted and stays out, with the reason as a word and as a sentence."""

    charge_point_id: str
    reason: OutReason
    sentence: str


class _Case(msgspec.Struct, frozen=True):
    spec: RolloutSpec
    manifest: Manifest
    member: FleetMember
    url_length: int
    offered: Sequence[str]


def why_out(spec: RolloutSpec, manifest: Manifest, member: FleetMember, *, url_length: int, offered: Sequence[str]) -> Out | None:
    """The first reason that keeps it out; None: it is in."""
    case = _Case(spec, manifest, member, url_length, offered)
    for reason, check in _CHECKS:
        sentence = check(case)
        if sentence is not None:
            return Out(charge_point_id=member.charge_point_id, reason=reason, sentence=sentence)
    return None


def hardware_of(manifest: Manifest, member: FleetMember) -> str | None:
    """Its hardware revision: as it was entered, else as the manifest reads it; None where neither knows."""
    if member.hardware is not None or manifest.hardware_from is None:
        return member.hardware
    rule = manifest.hardware_from
    match = re.search(rule.pattern, (member.model if rule.field == "model" else member.serial_number) or "")
    if match is None:
        return None
    return str(match[1] if match.re.groups else match[0])


def _excluded(case: _Case) -> str | None:
    return "the file leaves it out" if selects(case.spec.leave_out, case.member) else None


def _blocked(case: _Case) -> str | None:
    state = case.member.registration
    return f"its registration is {state}" if state is not None and state != Registration.ACCEPTED else None


def _engaged(case: _Case) -> str | None:
    other = case.member.engaged_by
    return None if other is None else f"the rollout {other} has it and has not ended"


def _already_there(case: _Case) -> str | None:
    there = is_expected(case.manifest, case.member.model, case.member.firmware_version)
    return f"runs {case.member.firmware_version} already" if there else None


def _incompatible(case: _Case) -> str | None:
    manifest, member = case.manifest, case.member
    if member.vendor is None or not fits(manifest.vendor, member.vendor):
        return f"is made by {member.vendor or 'nobody known'}, the firmware is for {manifest.vendor}"
    if member.model is None or not any(fits(glob, member.model) for glob in manifest.models):
        return f"is {_model(member)}, the firmware is for {', '.join(manifest.models)}"
    if manifest.hardware:
        revision = hardware_of(manifest, member)
        if revision is None:
            return f"its hardware revision is not known, the firmware is for {', '.join(manifest.hardware)}"
        if not any(fits(each, revision) for each in manifest.hardware):
            return f"has hardware revision {revision}, the firmware is for {', '.join(manifest.hardware)}"
    if manifest.protocols and member.protocol not in manifest.protocols:
        return f"speaks {member.protocol or 'no known protocol'}, the firmware is for {', '.join(manifest.protocols)}"
    return None


def _older_first(case: _Case) -> str | None:
    """Fine: it runs such a version, one that the maker allows outright, or by the release counters a later one."""
    manifest, member = case.manifest, case.member
    through = manifest.must_pass_through
    if not through or _matches(manifest, member, through + manifest.from_versions):
        return None
    present, wanted = release_of(manifest, member), [manifest.releases.get(each) for each in through]
    if present is not None and all(each is not None and each < present for each in wanted):
        return None
    return f"runs {_version(member)} and must pass through {' or '.join(through)} first"


def _wrong_start(case: _Case) -> str | None:
    manifest, allowed = case.manifest, case.manifest.from_versions
    if not allowed or _matches(manifest, case.member, allowed + manifest.must_pass_through):
        return None
    return f"runs {_version(case.member)}, the firmware goes on {', '.join(allowed)}"


def _downgrade(case: _Case) -> str | None:
    manifest, member = case.manifest, case.member
    if manifest.downgrade_allowed:
        return None
    present = release_of(manifest, member)
    if present is None or present <= manifest.release:
        return None
    return f"runs {member.firmware_version} (release {present}), this is release {manifest.release} and may not go back"


def release_of(manifest: Manifest, member: FleetMember) -> int | None:
    """The release counter of what it runs, where the manifest knows it."""
    if member.firmware_version is None:
        return None
    rule = normaliser_for(manifest, member.model)
    version = rule.apply(member.firmware_version)
    return next((count for glob, count in manifest.releases.items() if fits(rule.apply(glob), version)), None)


def _no_profile(case: _Case) -> str | None:
    if case.member.protocol != Protocol.OCPP16 or case.member.firmware_profile is not False:
        return None
    return "does not have FirmwareManagement among its SupportedFeatureProfiles"


def _no_transfer(case: _Case) -> str | None:
    said = case.member.transfer_protocols
    if said is None or {each.upper() for each in said} & {each.upper() for each in case.offered}:
        return None
    return f"fetches files by {', '.join(said) or 'nothing'}, they are offered by {', '.join(case.offered)}"


def _url_too_long(case: _Case) -> str | None:
    limit = MAX_URL_21 if case.member.protocol == Protocol.OCPP21 else MAX_URL
    if case.url_length <= limit:
        return None
    return f"takes addresses of {limit} characters, a download's has {case.url_length}: shorten firmware.public_url"


def _no_time_zone(case: _Case) -> str | None:
    if case.spec.zone_of(case.member.time_zone) is not None:
        return None
    return f"site {case.member.site_id or '(none)'} has no time zone, and windows.time_zone is not given"


def _offline(case: _Case) -> str | None:
    waits = case.spec.wait_for_offline
    return None if case.member.connected or waits else "is offline; `offline: wait` would give it a place all the same"


_CHECKS: tuple[tuple[OutReason, Callable[[_Case], str | None]], ...] = (
    (OutReason.EXCLUDED, _excluded),
    (OutReason.BLOCKED, _blocked),
    (OutReason.ENGAGED, _engaged),
    (OutReason.ALREADY_THERE, _already_there),
    (OutReason.INCOMPATIBLE, _incompatible),
    (OutReason.OLDER_FIRST, _older_first),
    (OutReason.INCOMPATIBLE, _wrong_start),
    (OutReason.DOWNGRADE, _downgrade),
    (OutReason.NO_FIRMWARE_PROFILE, _no_profile),
    (OutReason.NO_TRANSFER, _no_transfer),
    (OutReason.URL_TOO_LONG, _url_too_long),
    (OutReason.NO_TIME_ZONE, _no_time_zone),
    (OutReason.OFFLINE, _offline),
)


def _matches(manifest: Manifest, member: FleetMember, globs: Sequence[str]) -> bool:
    if member.firmware_version is None:
        return False
    rule = normaliser_for(manifest, member.model)
    version = rule.apply(member.firmware_version)
    return any(fits(rule.apply(glob), version) for glob in globs)


def _model(member: FleetMember) -> str:
    return f"a {member.model}" if member.model else "of no known model"


def _version(member: FleetMember) -> str:
    return member.firmware_version or "no known version"
