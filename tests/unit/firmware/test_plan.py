"""A plan: who is in, who is out and why, what the canary can prove; all of it from values."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_orchestrator.eligibility import OutReason, hardware_of, why_out
from firmware_orchestrator.fleet import FleetMember, use_terciles
from firmware_orchestrator.manifest import HardwareRule
from firmware_orchestrator.plan import Plan, make_plan
from firmware_orchestrator.spec import RolloutSpec, parse_spec
from tests.support.firmware_files import NOW, artifact, manifest, member

FILE = """\
artifact: acme-2.4.1
target: {vendors: [Acme]}
waves: {sizes: [10, 50, rest], holdout: 20, seed: 7}
windows: {open: [{from: "01:00", to: "05:00"}]}
"""


def spec(text: str = FILE) -> RolloutSpec:
    return parse_spec(text)


def plan(fleet: list[FleetMember], text: str = FILE, **changes: Any) -> Plan:
    return make_plan(spec(text), artifact(), fleet, NOW, **({"url_length": 60} | changes))


def test_everybody_targeted_is_in_one_place_or_out() -> None:
    """Waves, holdout and those out make up the target; the others are counted."""
    fleet = [member(f"cp-{number}") for number in range(200)] + [member("other", vendor="Bolt"), member("off", connected=False)]
    made = plan(fleet)
    placed = [name for wave in made.waves for name in wave.charge_points] + [
        *made.holdout,
        *(each.charge_point_id for each in made.out),
    ]
    assert sorted(placed) == sorted(each.charge_point_id for each in fleet if each.vendor == "Acme")
    assert [len(wave.charge_points) for wave in made.waves] == [10, 50, 120] and len(made.holdout) == 20
    assert made.not_targeted == 1 and made.members == 180
    assert [(each.charge_point_id, each.reason) for each in made.out] == [("off", OutReason.OFFLINE)]


def test_the_same_snapshot_gives_the_same_plan() -> None:
    """Whatever the order of the rows; another seed draws others."""
    fleet = [member(f"cp-{number}") for number in range(100)]
    assert plan(fleet) == plan(fleet[::-1])
    assert plan(fleet).waves != plan(fleet, FILE.replace("seed: 7", "seed: 8")).waves


def test_a_file_without_a_seed_draws_the_same_waves_again() -> None:
    """So that `create` does what `plan` showed."""
    text, fleet = FILE.replace(", seed: 7", ""), [member(f"cp-{number}") for number in range(100)]
    assert plan(fleet, text).seed == plan(fleet, text).seed != 7
    assert plan(fleet, text).seed != plan(fleet, text + "name: again\n").seed


REASONS: list[tuple[dict[str, Any], OutReason, str]] = [
    ({"registration": "Rejected"}, OutReason.BLOCKED, "its registration is Rejected"),
    ({"engaged_by": "other"}, OutReason.ENGAGED, "the rollout other has it"),
    ({"firmware_version": "2.4.1"}, OutReason.ALREADY_THERE, "runs 2.4.1 already"),
    ({"model": "DC-50"}, OutReason.INCOMPATIBLE, "is a DC-50, the firmware is for AC-*"),
    ({"model": None}, OutReason.INCOMPATIBLE, "is of no known model"),
    ({"firmware_profile": False}, OutReason.NO_FIRMWARE_PROFILE, "FirmwareManagement"),
    ({"transfer_protocols": ("FTP",)}, OutReason.NO_TRANSFER, "fetches files by FTP, they are offered by HTTP"),
    ({"time_zone": None}, OutReason.NO_TIME_ZONE, "has no time zone"),
    ({"connected": False}, OutReason.OFFLINE, "is offline"),
]


@pytest.mark.parametrize(("changes", "reason", "sentence"), REASONS, ids=[each[1] + str(at) for at, each in enumerate(REASONS)])
def test_why_it_is_out(changes: dict[str, Any], reason: OutReason, sentence: str) -> None:
    """The first reason that holds, as a word and as a sentence."""
    out = why_out(spec(), manifest(), member("cp-1", **changes), url_length=60, offered=("HTTP",))
    assert out is not None and out.reason == reason and sentence in out.sentence


def test_who_fits_is_in() -> None:
    """A charge point with nothing against it; OCPP 2.x needs no profile."""
    assert why_out(spec(), manifest(), member("a"), url_length=60, offered=("HTTP",)) is None
    two = member("b", protocol="ocpp2.0.1", firmware_profile=False, transfer_protocols=("http",))
    assert why_out(spec(), manifest(), two, url_length=60, offered=("HTTP",)) is None


def test_who_is_left_out_by_the_file() -> None:
    """leave_out beats the target."""
    made = plan([member("cp-1"), member("cp-2")], FILE + "leave_out: {charge_points: [cp-1]}\n")
    assert [(each.charge_point_id, each.reason) for each in made.out] == [("cp-1", OutReason.EXCLUDED)]


def test_an_address_that_is_too_long_for_its_protocol() -> None:
    """512 characters, and 2000 for OCPP 2.1."""
    old, new = member("old", protocol="ocpp2.0.1"), member("new", protocol="ocpp2.1")
    made = plan([old, new], url_length=600)
    assert [(each.charge_point_id, each.reason) for each in made.out] == [("old", OutReason.URL_TOO_LONG)]


def test_hardware_is_entered_or_read_from_the_serial_number_and_doubt_keeps_out() -> None:
    """One model name, three revisions: the manifest says which it fits, and how to tell."""
    rule = HardwareRule(field="serial_number", pattern=r"^(R\d)-")
    made = manifest(hardware=("R2", "R3"), hardware_from=rule)
    assert hardware_of(made, member("a", serial_number="R2-001")) == "R2"
    assert hardware_of(made, member("a", serial_number="R2-001", hardware="R9")) == "R9"
    for serial, sentence in (("R1-001", "has hardware revision R1"), ("001", "its hardware revision is not known")):
        out = why_out(spec(), made, member("a", serial_number=serial), url_length=60, offered=("HTTP",))
        assert out is not None and sentence in out.sentence
    assert why_out(spec(), made, member("a", serial_number="R3-7"), url_length=60, offered=("HTTP",)) is None


@pytest.mark.parametrize(
    ("version", "reason"),
    [("2.3.0", None), ("2.0.0", None), ("1.9.0", OutReason.OLDER_FIRST), (None, OutReason.OLDER_FIRST), ("2.1.0", None)],
)
def test_older_versions_must_pass_through(version: str | None, reason: OutReason | None) -> None:
    """Who runs the version in between, or by the release counters a later one, may go on."""
    made = manifest(must_pass_through=("2.0.*",), releases={"1.*": 190, "2.0.*": 200, "2.1.*": 210, "2.3.*": 230})
    out = why_out(spec(), made, member("a", firmware_version=version), url_length=60, offered=("HTTP",))
    assert (out and out.reason) == reason


def test_a_version_that_is_not_allowed_is_incompatible() -> None:
    """from_versions are globs on normalised versions."""
    made = manifest(from_versions=("2.3.*",))
    out = why_out(spec(), made, member("a", firmware_version="2.2.9"), url_length=60, offered=("HTTP",))
    assert out is not None and out.reason == OutReason.INCOMPATIBLE and "goes on 2.3.*" in out.sentence


def test_a_downgrade_needs_the_makers_word() -> None:
    """By the release counter, not by comparing texts: 2.10 is newer than 2.9."""
    newer = member("a", firmware_version="2.10.0")
    made = manifest(releases={"2.10.*": 300})
    out = why_out(spec(), made, newer, url_length=60, offered=("HTTP",))
    assert out is not None and out.reason == OutReason.DOWNGRADE
    assert (
        why_out(spec(), manifest(releases={"2.10.*": 300}, downgrade_allowed=True), newer, url_length=60, offered=("HTTP",)) is None
    )


def test_canaries_are_fit_to_be_compared() -> None:
    """Neither often offline nor with an open fault; those are updated later."""
    fleet = [member(f"cp-{number}", online_share=0.5 if number % 2 else 1.0, open_fault=number % 3 == 0) for number in range(120)]
    made = plan(fleet)
    fit = {each.charge_point_id for each in fleet if each.online_share == 1.0 and not each.open_fault}
    assert set(made.waves[0].charge_points) <= fit and set(made.holdout) <= fit


def test_the_plan_says_what_the_canary_can_prove() -> None:
    """From the rates of this fleet; without any, it says that it can prove nothing."""
    fleet = [member(f"cp-{number}") for number in range(300)]
    assert any("rule out" in each for each in plan(fleet, rates=0.02).canary.sentences)
    assert "can prove nothing" in plan(fleet).canary.sentences[0]


def test_the_plan_shows_the_next_openings_of_each_clock() -> None:
    """In UTC: 01:00–05:00 in Oslo (winter) and in New York."""
    made = plan([member("a"), member("b", time_zone="America/New_York")], FILE.replace("10, 50, rest", "1, rest"))
    shown = {zone.time_zone: zone.openings[0].start.isoformat()[:16] for zone in made.zones}
    assert shown == {"America/New_York": "2026-03-03T06:00", "Europe/Oslo": "2026-03-03T00:00"}


def test_a_fleet_that_never_opens_and_a_plan_of_nobody_are_noted() -> None:
    """Quiet hours over the whole day; nobody at all."""
    closed = FILE.replace("windows: {", 'windows: {quiet: [{from: "00:00", to: "24:00"}], ')
    assert any("nothing is open for long enough" in note for note in plan([member("a")], closed).notes)
    assert "nobody would be updated" in plan([]).notes


def test_use_is_split_into_thirds() -> None:
    """By transactions; who is used alike gets the same word."""
    assert use_terciles({"a": 1, "b": 5, "c": 9}) == {"a": "low", "b": "middle", "c": "high"}
    assert len(set(use_terciles({"a": 3, "b": 3, "c": 3}).values())) == 1 and use_terciles({}) == {}
