"""kill -9 of the platform between the outbox and the receiver: nothing is lost, and nobody is told twice."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.support.hooks import SECRET, hook
from tests.support.platform import RunningPlatform
from tests.support.servers import free_port

ALERTS = """
[route]
receivers = ["night"]
group_by = ["..."]
group_wait_s = 0

[receivers.night]
type = "webhook"
url = "http://127.0.0.1:{port}/hook"
secret = "{secret}"
timeout_s = 100
"""


def fault(platform: RunningPlatform, name: str) -> None:
    """A charge point says something that is told at once."""
    with connect(f"{platform.url}/{name}", subprotocols=["ocpp1.6"]) as socket:  # type: ignore[list-item]  # a NewType of str
        plug = {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"}
        socket.send(json.dumps([2, "1", "StatusNotification", plug]))
        socket.recv(10)


def outbox(platform: RunningPlatform, count: int, state: str, attempts: int = 0) -> list[dict[str, Any]]:
    """All rows in this state, once there are so many that were tried so often."""
    rows: list[dict[str, Any]] = []
    for _ in range(300):
        rows = platform.api("GET", f"/api/v1/deliveries?state={state}")["items"]
        if len([row for row in rows if row["attempts"] >= attempts]) >= count:
            return rows
        time.sleep(0.1)
    raise AssertionError(f"expected {count} {state}: {rows}")


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_kill_9_between_outbox_and_delivery(tmp_path: Path) -> None:
    """Killed while one message, that had failed before, was at the receiver without an answer, and five had not left yet: each is
    taken in the end, under the id that it had from the beginning, and the outbox is empty."""
    data, port = tmp_path / "data", free_port()
    data.mkdir(mode=0o700)
    (data / "alerts.toml").write_text(ALERTS.format(port=port, secret=SECRET))
    (tmp_path / "config.toml").write_text("[alerts]\nallow_private_addresses = true\n")
    with RunningPlatform(data, "--config", str(tmp_path / "config.toml")) as platform:
        fault(platform, "CP-0")
        (failed,) = outbox(platform, 1, "waiting", attempts=1)
        assert "no connection" in failed["last_error"]
        with hook(port) as receiver:
            receiver.hold = threading.Event()
            receiver.until(lambda: receiver.heard)
            for number in range(1, 6):
                fault(platform, f"CP-{number}")
            rows = outbox(platform, 6, "waiting")
            platform.kill()
            assert receiver.taken == []
            receiver.hold.set()
            receiver.until(lambda: len(receiver.taken) == 1)  # the answer goes nowhere: nobody is there to hear it
            receiver.taken.clear()
            platform.start()
            delivered = outbox(platform, 6, "delivered")
            ids = sorted(row["message_id"] for row in rows)
            assert ids == sorted(row["message_id"] for row in delivered) == sorted(message_id for message_id, _ in receiver.taken)
            assert {message_id for message_id, _ in receiver.heard} == set(ids)
            points = {data["items"][0]["labels"]["charge_point"] for _, data in receiver.taken}
            assert points == {f"CP-{number}" for number in range(6)}
