"""Each folder of tests/cases/alert-rules is a story of frames, and what the rules find at some instants of it.

story.yaml: `about`, `records` in journal order, optionally `sites`, `protocol`, and `listening` (last frames are kept: those of the
records). findings.yaml: instant → findings, each with what must be so of it; there is no other one.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from alerts.detectors.rules import Heard, RuleSettings, judge
from alerts.finding import Finding
from alerts.signals import NetworkSignals
from chargenet.events import ConnectionClosed, Fact
from chargenet.model.record import Decision, Record, microseconds
from chargenet.model.words import RecordKind
from collector.interpret import interpret
from tests.support.facts import DAY

FOLDER = Path(__file__).parent / "alert-rules"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
FILES = {"story.yaml", "findings.yaml"}
STORY_KEYS = {"about", "records", "sites", "protocol", "listening"}


def instant(text: str) -> datetime:
    """H:M:S after the day began; hours may pass 24."""
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def facts(story: dict[str, Any]) -> list[Fact]:
    """The records interpreted as the platform does."""
    generations: dict[str, int] = {}
    told = []
    for sequence, row in enumerate(story["records"], 1):
        name = row.get("charge_point", "CP1")
        kind, frame, reply = framed(row, sequence)
        if kind is RecordKind.CONNECTED:
            generations[name] = sequence
        record = Record(
            sequence,
            microseconds(instant(row["at"])),
            name,
            0 if kind is RecordKind.CONNECTED else generations[name],
            story.get("protocol", "ocpp1.6"),
            kind,
            json.dumps(frame).encode(),
            reply,
            msgspec.convert(row.get("decision", {}), Decision),
        )
        told.append(interpret(record))
    return told


def framed(row: dict[str, Any], sequence: int) -> tuple[RecordKind, Any, bytes]:
    """Kind, frame and reply of one row."""
    if "call" in row:
        return RecordKind.CALL, [2, f"c{sequence}", row["call"], row["payload"]], b""
    if "command" in row:
        return RecordKind.COMMAND, [2, row["id"], row["command"], row["payload"]], b""
    if "answer" in row:
        note = {"message_id": row["answer"], "action": row["action"], "status": row["status"]}
        return RecordKind.RESULT, [3, row["answer"], {"status": "Accepted"}], json.dumps(note).encode()
    if "disconnected" in row:
        return RecordKind.DISCONNECTED, row["disconnected"], b""
    assert row["connected"] is True, row
    return RecordKind.CONNECTED, {"remote": "10.0.0.1"}, b""


def judged(story: dict[str, Any], told: list[Fact], now: datetime) -> list[Finding]:
    """What the rules find at an instant, from all that came until then."""
    signals, frames = NetworkSignals(), dict[str, datetime]()
    for fact in told:
        if fact.received_at <= now:
            signals.apply(fact)
            if not any(isinstance(event, ConnectionClosed) for event in fact.events):
                frames[fact.charge_point_id] = fact.received_at
    heard = Heard(frames) if story.get("listening") else None
    found = judge(signals, now, RuleSettings(), story.get("sites", {}), heard)
    return sorted(found, key=lambda finding: (finding.thing, finding.kind))


def assert_so(finding: Finding, expected: dict[str, Any]) -> None:
    """Everything that is said of the finding is so; evidence by what is said of it, in its order."""
    told = msgspec.to_builtins(finding, builtin_types=(datetime,)) | {"thing": finding.thing}
    for key, value in expected.items():
        if key == "began_at":
            assert finding.began_at == instant(value)
        elif key == "evidence":
            for each, wanted in zip(told["evidence"], value, strict=False):
                given = {name: list(each[name]) if name == "sequences" else each[name] for name in wanted}
                assert given == wanted
            assert len(value) <= len(told["evidence"])
        else:
            assert told[key] == value, key


def instants(case: Path) -> list[str]:
    """The instants at which a case is judged."""
    return list(yaml.safe_load((case / "findings.yaml").read_text("utf-8")))


MOMENTS = [(case, at) for case in CASES for at in instants(case)]


@pytest.mark.parametrize(("case", "at"), MOMENTS, ids=lambda value: value.name if isinstance(value, Path) else value)
def test_what_is_found(case: Path, at: str) -> None:
    """At this instant of the story the rules find what findings.yaml says, and nothing else."""
    story = yaml.safe_load((case / "story.yaml").read_text("utf-8"))
    expected = yaml.safe_load((case / "findings.yaml").read_text("utf-8"))[at]
    found = judged(story, facts(story), instant(at))
    assert [(finding.thing, finding.kind) for finding in found] == [(each["thing"], each["kind"]) for each in expected]
    for finding, each in zip(found, expected, strict=True):
        assert_so(finding, each)


def test_every_folder_is_a_case() -> None:
    """Nothing here is left out: each folder has a story and at least one instant, and nothing that this runner does not read."""
    assert CASES, "no case was found"
    assert {case for case, _ in MOMENTS} == set(FOLDER.iterdir()), "a folder without an instant is not run"
    for case in FOLDER.iterdir():
        assert {each.name for each in case.iterdir()} == FILES, case.name
        story = yaml.safe_load((case / "story.yaml").read_text("utf-8"))
        assert story["about"] and set(story) <= STORY_KEYS, case.name
        assert not any("findings" in each for each in story["records"])
