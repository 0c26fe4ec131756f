"""Every case of tests/cases/frames: one text from a charge point, the answer, the events and the named deviations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargenet.events import FrameDeviated
from chargenet.model.measurement import as_list
from chargenet.model.words import Protocol
from collector.interpret import interpret
from tests.support.desk import CaseDesk, process, record_of

FRAMES = Path(__file__).parent / "frames"
CASES = sorted(FRAMES.glob("*/*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_frame(path: Path) -> None:
    """The reply to the letter, every event with the fields the case names, and exactly these quirks; replay tells the same."""
    case = json.loads(path.read_text())
    assert case["says"], "a case says what is true"
    protocol = Protocol(case["protocol"])
    data = bytes.fromhex(case["frame_hex"]) if "frame_hex" in case else case["frame"].encode()
    processed = process(data, protocol, CaseDesk(**case.get("desk", {})))
    told = [event for event in processed.events if not isinstance(event, FrameDeviated)]
    assert processed.reply.decode() == case["reply"]
    assert [event.quirk for event in processed.events if isinstance(event, FrameDeviated)] == case["quirks"]
    assert [_fields(event, wanted) for event, wanted in zip(told, case["events"], strict=True)] == case["events"]
    assert processed.kind.name == case.get("kind", "CALL")
    if processed.journaled:
        assert interpret(record_of(data, protocol, processed)).events == processed.events


def _fields(event: msgspec.Struct, wanted: dict[str, Any]) -> dict[str, Any]:
    """The fields that the case names, as JSON values."""
    plain = json.loads(msgspec.json.encode(event, enc_hook=as_list))
    return {name: plain.get(name, "no such field") for name in wanted}


def test_every_folder_was_run() -> None:
    """No folder without cases, no case outside of a folder, nothing that is not a case."""
    assert {path for path in FRAMES.rglob("*") if path.is_file()} == set(CASES)
    assert set(FRAMES.iterdir()) == {path.parent for path in CASES}
