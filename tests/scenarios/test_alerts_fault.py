"""A ground fault said over a real socket is a case, is taken from the command line, and survives kill -9 of the platform."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.support.platform import RunningPlatform


def eventually(platform: RunningPlatform, state: str) -> Any:
    """The only case, once it is in this state."""
    for _ in range(150):
        cases = platform.api("GET", "/api/v1/cases")["items"]
        if [case["state"] for case in cases] == [state]:
            return cases[0]
        time.sleep(0.1)
    raise AssertionError(f"no case is {state}: {cases}")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_ground_fault_becomes_one_case(tmp_path: Path) -> None:
    """At once, with the frame that said it; acknowledged by the CLI; still one case, and still taken, after kill -9."""
    with RunningPlatform(tmp_path) as platform:
        with connect(f"{platform.url}/CP-1", subprotocols=["ocpp1.6"]) as socket:  # type: ignore[list-item]  # a NewType of str
            fault = {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"}
            socket.send(json.dumps([2, "1", "StatusNotification", fault]))
            socket.recv(10)
            case = eventually(platform, "open")
            assert (case["kind"], case["severity"], case["connector"]) == ("safety_fault", "critical", "1")
            assert any(each["sequences"] for each in case["evidence"])
            judgement = platform.api("POST", "/api/v1/cases/judge")
            [shown] = [each for each in judgement["findings"] if each["finding"]["kind"] == "safety_fault"]
            assert (shown["case_id"], shown["masked_by"], judgement["charge_points"]) == (case["case_id"], None, 1)
            assert platform.cli("cases", "ack", str(case["case_id"]), "--note", "on my way")["state"] == "acknowledged"
            platform.kill()
        platform.start()
        assert [each["state"] for each in platform.api("GET", "/api/v1/cases?open=true")["items"]] == ["acknowledged"]
        shown = platform.api("GET", f"/api/v1/cases/{case['case_id']}")
        assert [line["what"] for line in shown["history"]] == ["opened", "acknowledged"]
