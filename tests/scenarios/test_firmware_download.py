"""A charge point fetches the firmware that it was ordered to: in pieces, after a broken line, and never a damaged file."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.platform import RunningPlatform
from tests.support.servers import require_server

IMAGE = bytes(range(256)) * 1000
SPEC = "name: new\nartifact: eve-2.0.0\ntarget: {all: true}\nwaves: {sizes: ['1', rest], holdout: '0'}\n"
MANIFEST = f"""\
name: eve-2.0.0
vendor: Alfen
models: [Eve]
version: 2.0.0
release: 2
sha256: {hashlib.sha256(IMAGE).hexdigest()}
"""


def ordered(socket: ClientConnection) -> str:
    """The address in the UpdateFirmware that comes, which is accepted; other calls are answered as not implemented."""
    while True:
        kind, message_id, *rest = json.loads(socket.recv(60))
        if kind != 2:
            continue
        if rest[0] == "UpdateFirmware":
            socket.send(json.dumps([3, message_id, {}]))
            return str(rest[1]["location"])
        socket.send(json.dumps([4, message_id, "NotImplemented", "", {}]))


def roll_out(platform: RunningPlatform) -> None:
    """One image to the one charge point that is there."""
    platform.lists("Alfen")
    files = {"manifest": ("m.yaml", MANIFEST.encode()), "file": ("eve.bin", IMAGE)}
    platform.api("POST", "/api/v1/firmware", files=files)
    platform.api("POST", "/api/v1/firmware/eve-2.0.0/approvals", json={})
    platform.api("POST", "/api/v1/rollouts", json={"spec": SPEC})
    platform.api("POST", "/api/v1/rollouts/new/start")


@contextmanager
def given_out(data: Path) -> Iterator[str]:
    """The address that a charge point of a running platform was given."""
    with (
        RunningPlatform(data) as platform,
        connect(f"{platform.url}/CP-1", subprotocols=["ocpp1.6"]) as socket,  # type: ignore[list-item]  # a NewType of str
    ):
        boot = {"chargePointVendor": "Alfen", "chargePointModel": "Eve", "firmwareVersion": "1.0.0"}
        idle = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        for action, payload in (("BootNotification", boot), ("StatusNotification", idle)):
            socket.send(json.dumps([2, action, action, payload]))
            socket.recv(10)
        roll_out(platform)
        yield ordered(socket)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for all tests that leave the file whole."""
    with given_out(tmp_path_factory.mktemp("firmware") / "data") as found:
        yield found


def test_the_address_is_short(address: str) -> None:
    """1.6 charge points cut long ones; the protocol's limit is 512."""
    assert len(address) < 100


def test_a_library_gets_any_range(address: str) -> None:
    """RFC 9110: a range, one that does not exist, and a resume whose ETag is another file's, which gives the whole file."""
    with httpx.Client() as client:
        etag = client.head(address).headers["etag"]
        part = client.get(address, headers={"Range": "bytes=1000-1999", "If-Range": etag})
        assert (part.status_code, part.content) == (206, IMAGE[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(IMAGE)}"
        last = client.get(address, headers={"Range": "bytes=-16"})
        assert (last.status_code, last.content) == (206, IMAGE[-16:])
        assert client.get(address, headers={"Range": f"bytes={len(IMAGE)}-"}).status_code == 416
        whole = client.get(address, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
        assert (whole.status_code, whole.content) == (200, IMAGE)


def test_curl_resumes(address: str, tmp_path: Path) -> None:
    """What had arrived is not sent again, and the file is whole."""
    curl, file = require_server("curl"), tmp_path / "image"
    file.write_bytes(IMAGE[:100_000])
    report = ["--write-out", "%{http_code} %{size_download}"]
    done = subprocess.run(
        [curl, "--silent", "--continue-at", "-", "--output", file, *report, address], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == f"206 {len(IMAGE) - 100_000}", done.stderr
    assert file.read_bytes() == IMAGE


def test_unknown_addresses_say_nothing(address: str) -> None:
    """A token that was never given is a 404."""
    assert httpx.get(address[:-4] + "AAAA").status_code == 404


def test_a_damaged_file_is_not_served(tmp_path: Path) -> None:
    """One byte on the disk differs: 503, even for a piece that is whole."""
    with given_out(tmp_path / "data") as address:
        files = (each for each in (tmp_path / "data" / "firmware").rglob("*") if each.is_file())
        (stored,) = (each for each in files if each.stat().st_size == len(IMAGE))
        stored.chmod(0o600)
        stored.write_bytes(IMAGE[:-1] + b"?")
        assert httpx.get(address, headers={"Range": "bytes=0-99"}).status_code == 503
