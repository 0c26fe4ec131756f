"""Diagnostics: asked for, uploaded, listed, downloaded. The one-time token is the only thing that lets a file in."""

from __future__ import annotations

import hashlib
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect

from chargenet.commands import GetDiagnostics
from chargenet.model.words import OutcomeStatus
from tests.support.api import Api, api_over

CONTENT = bytes(range(256)) * 5000


async def url(api: Api, charge_point_id: str = "CP-1") -> str:
    """The upload URL that a charge point was just sent."""
    await api.platform.register(charge_point_id)
    answer = await api.operator.post(f"/charge-points/{charge_point_id}/diagnostics", json={})
    assert answer.status_code == 200, answer.text
    command = api.platform.gateway.sent[-1][1]
    assert isinstance(command, GetDiagnostics) and command.request_id == answer.json()["request_id"]
    return command.location


async def body(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def listed(api: Api) -> list[dict[str, object]]:
    items: list[dict[str, object]] = (await api.operator.get("/diagnostics")).json()["items"]
    return items


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_a_file_comes_back_as_it_was_sent(api: Api, method: str) -> None:
    """PUT and POST are the same: the file is listed with size, checksum and request, and downloads byte for byte."""
    done = await api.raw.request(method, await url(api) + "/CP-1/../log 1.zip", content=body(CONTENT[:7], CONTENT[7:]))
    assert done.status_code == 201, done.text
    (entry,) = await listed(api)
    assert (entry["name"], entry["size_bytes"], entry["request_id"]) == ("log_1.zip", len(CONTENT), 1)
    assert entry["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    got = await api.operator.get(f"/diagnostics/{entry['file_id']}/content")
    assert got.content == CONTENT and got.headers["content-disposition"] == "attachment; filename*=UTF-8''log_1.zip"


async def test_a_form_is_unpacked(api: Api) -> None:
    """A multipart form is stored as the file in it, not as the form; its other fields are passed over."""
    sent = {"file": ("../diag.tar.gz", CONTENT, "application/gzip")}
    assert (await api.raw.post(await url(api), files=sent, data={"note": "hello"})).status_code == 201
    (entry,) = await listed(api)
    assert (entry["name"], entry["sha256"]) == ("diag.tar.gz", hashlib.sha256(CONTENT).hexdigest())


async def test_a_form_without_a_file_is_refused_and_may_be_sent_again(api: Api) -> None:
    """Nothing is stored for it, and its token still works."""
    where = await url(api)
    assert (await api.raw.post(where, files={"note": (None, "hello")})).status_code == 422
    assert (await api.raw.put(where, content=b"log")).status_code == 201


async def test_a_token_works_once(api: Api) -> None:
    """The second upload, a guessed token and an altered one are all the same 404, and nothing of the token is said."""
    where = await url(api)
    assert (await api.raw.put(where, content=b"log")).status_code == 201
    for wrong in (where, where[:-1] + ("a" if where[-1] != "a" else "b"), "/uploads/0123456789abcdef.x", "/uploads/../keys"):
        answer = await api.raw.put(wrong, content=b"log")
        assert answer.status_code == 404 and where.rpartition("/")[2] not in answer.text
    assert len(await listed(api)) == 1


async def test_a_token_expires(api: Api) -> None:
    """After http.upload_token_ttl_s the URL is worth nothing."""
    where = await url(api)
    api.platform.clock.advance(api.platform.settings.http.upload_token_ttl_s + 1)
    assert (await api.raw.put(where, content=b"log")).status_code == 404


async def test_an_upload_over_the_limit_leaves_nothing(tmp_path: Path) -> None:
    """Declared or not, a file over the limit is 413, no byte of it stays, and the token can be used for a smaller one."""
    async with api_over(tmp_path, http__max_upload_bytes=100_000) as api:
        where = await url(api)
        assert (await api.raw.put(where, content=b"x" * 100_001)).status_code == 413
        assert (await api.raw.put(where, content=body(*[b"x" * 10_000] * 11))).status_code == 413
        assert [path.name for path in (tmp_path / "diagnostics").iterdir()] == ["tickets"]
        assert (await api.raw.put(where, content=b"x" * 100_000)).status_code == 201


async def test_a_broken_upload_gives_the_token_back(api: Api, tmp_path: Path) -> None:
    """When the sender fails in the middle, nothing stays and it may try again."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 2_000_000
        raise ClientDisconnect

    where = await url(api)
    assert (await api.raw.put(where, content=broken())).status_code == 400
    assert [path.name for path in (tmp_path / "diagnostics").iterdir()] == ["tickets"]
    assert (await api.raw.put(where, content=b"log")).status_code == 201


async def test_a_journal_that_cannot_write_refuses_the_upload(api: Api, tmp_path: Path) -> None:
    """An upload that could not be journaled is not kept: 503, and the charge point tries again."""
    where = await url(api)
    api.platform.journal.fail()
    assert (await api.raw.put(where, content=b"log")).status_code == 503
    assert [path.name for path in (tmp_path / "diagnostics").iterdir()] == ["tickets"]
    api.platform.journal.heal()
    assert (await api.raw.put(where, content=b"log")).status_code == 201


async def test_uploads_never_stop_the_journal(tmp_path: Path) -> None:
    """Where little disk space is left an upload is refused and leaves nothing: what remains is for frames."""
    async with api_over(tmp_path, journal__free_space_floor_bytes=1 << 60) as api:
        refused = await api.raw.put(await url(api), content=b"log")
        assert (refused.status_code, refused.json()["detail"]) == (
            503,
            "the file could not be stored: too little disk space is left for diagnostics",
        )
        assert [path.name for path in (tmp_path / "diagnostics").iterdir()] == ["tickets"]


async def test_a_removed_file_is_gone_and_still_listed(api: Api) -> None:
    """Its content is 404 afterwards, its entry stays."""
    await api.raw.put(await url(api), content=b"log")
    (entry,) = await listed(api)
    assert (await api.operator.delete(f"/diagnostics/{entry['file_id']}")).status_code == 200
    assert (await api.operator.get(f"/diagnostics/{entry['file_id']}/content")).status_code == 404
    assert (await api.operator.delete(f"/diagnostics/{entry['file_id']}")).status_code == 404
    assert await listed(api) == [entry]


async def test_files_are_the_owners_alone(api: Api, tmp_path: Path) -> None:
    """Files and tickets have mode 0600."""
    await url(api)
    await api.raw.put(await url(api), content=b"log")
    files = [path for path in (tmp_path / "diagnostics").rglob("*") if path.is_file()]
    assert len(files) == 2 and {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize(
    ("ends", "status", "still"), [("rejected", 200, 404), ("not_connected", 409, 404), ("timed_out", 504, 201)]
)
async def test_a_refused_request_takes_its_token_back(api: Api, ends: str, status: int, still: int) -> None:
    """Rejected or unsent requests leave no open URL; after silence the upload may still come."""
    await api.platform.register("CP-1")
    api.platform.gateway.end_with(OutcomeStatus(ends))
    assert (await api.operator.post("/charge-points/CP-1/diagnostics", json={})).status_code == status
    command = api.platform.gateway.sent[-1][1]
    assert isinstance(command, GetDiagnostics)
    assert (await api.raw.put(command.location, content=b"log")).status_code == still


async def test_the_token_is_never_logged_or_audited(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Neither log lines nor audit entries have the token; a wrong one is not echoed."""
    caplog.set_level(logging.DEBUG)
    where = await url(api)
    await api.raw.put(where, content=b"log")
    token = where.rpartition("/")[2]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert not any(token in line for line in ours)
    assert token not in (await api.admin.get("/audit")).text
    assert await api.audited() == [
        ("diagnostics.request", "charge-point CP-1"),
        ("diagnostics.upload", f"diagnostics {(await listed(api))[0]['file_id']}"),
    ]


async def test_a_restart_forgets_no_ticket(tmp_path: Path) -> None:
    """A URL given out before a restart works after it, also when the process was killed during the upload."""
    async with api_over(tmp_path) as api:
        where = await url(api)
    (ticket,) = (tmp_path / "diagnostics" / "tickets").iterdir()
    ticket.rename(ticket.with_suffix(".claimed"))
    async with api_over(tmp_path) as api:
        assert (await api.raw.put(where, content=b"log")).status_code == 201


async def test_an_unknown_file_is_404(api: Api) -> None:
    """Ids that name no file of ours, even ones that try to leave the folder."""
    for file_id in ("0" * 32, "..%2f..%2fetc%2fpasswd", "tickets"):
        assert (await api.operator.get(f"/diagnostics/{file_id}/content")).status_code == 404
