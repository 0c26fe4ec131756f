"""Security profiles 0 and 1 (OCPP 1.6 security whitepaper, 2.0.1 A00): nothing or a password, and what a wrong one does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from ocpp.v16 import call

from tests.support.logins import basic, enters, is_refused, profile_of, with_password
from tests.support.peer import items, metrics_of, peer, request, settled
from tests.support.platform import RunningPlatform

TRIES, PER_ADDRESS = 3, 8
SETTINGS = f"""
[collector]
failed_logins = {TRIES}
connections_per_address = {PER_ADDRESS}
failed_login_delay_s = 1
[log]
level = "debug"
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Without TLS; who has no password needs none."""
    folder = tmp_path_factory.mktemp("security")
    (folder / "settings.toml").write_text(SETTINGS)
    with RunningPlatform(folder / "data", "--config", str(folder / "settings.toml")) as running:
        yield running


async def test_profile_0_proves_nothing(platform: RunningPlatform) -> None:
    """No password is set and none is demanded; one that is given all the same does no harm."""
    await enters(platform.url, "OPEN")
    assert await profile_of(platform, "OPEN") == 0
    await enters(platform.url, "OPEN", additional_headers=basic("OPEN", "anything"))


@pytest.mark.parametrize("chosen", [(), ("correct horse battery",)], ids=["generated", "chosen"])
async def test_profile_1_wants_the_password(platform: RunningPlatform, chosen: tuple[str, ...]) -> None:
    """Once a charge point has one it must give it; a generated one also as the bytes that its hexadecimal text means."""
    name = "CHOSEN" if chosen else "GENERATED"
    await asyncio.to_thread(platform.cli, "charge-points", "add", name)
    made = await asyncio.to_thread(platform.cli, "charge-points", "set-password", name, *chosen)
    assert (made["password"] is None) == bool(chosen), "only a generated password is shown"
    password = chosen[0] if chosen else made["password"]
    await enters(platform.url, name, additional_headers=basic(name, password))
    assert await profile_of(platform, name) == 1
    if not chosen:
        await enters(platform.url, name, additional_headers=basic(name, bytes.fromhex(password)))
    refused = await is_refused(platform.url, name)
    assert refused.status_code == 401 and refused.headers["WWW-Authenticate"].startswith("Basic")
    assert (await is_refused(platform.url, name, additional_headers=basic(name, password[:-1] + "x"))).status_code == 401
    await enters(platform.url, name, additional_headers=basic(name, password))


async def test_a_password_is_its_own_charge_points_only(platform: RunningPlatform) -> None:
    """The user name must be the charge point's, and one charge point's password opens no other's door."""
    mine, other = await with_password(platform, "MINE"), await with_password(platform, "OTHER")
    assert (await is_refused(platform.url, "MINE", additional_headers=basic("OTHER", other))).status_code == 401
    assert (await is_refused(platform.url, "MINE", additional_headers=basic("MINE", other))).status_code == 401
    await enters(platform.url, "MINE", additional_headers=basic("MINE", mine))


async def test_a_new_password_replaces_the_old_one(platform: RunningPlatform) -> None:
    """Set over the API while it is connected: the connection stays, the next one needs the new password."""
    old = await with_password(platform, "CHANGES", "the first password")
    async with peer(platform.url, "CHANGES", additional_headers=basic("CHANGES", old)) as point:
        body = {"password": "the second password"}
        status, _ = await request(platform, "POST", "/api/v1/charge-points/CHANGES/password", json=body)
        assert status == 200
        assert (await point.call(call.Heartbeat())).current_time
    assert (await is_refused(platform.url, "CHANGES", additional_headers=basic("CHANGES", old))).status_code == 401
    await enters(platform.url, "CHANGES", additional_headers=basic("CHANGES", "the second password"))


async def test_an_address_has_so_many_connections(platform: RunningPlatform) -> None:
    """The one too many is told to come later and counted; those that are there go on, and when one leaves another may come."""
    async with contextlib.AsyncExitStack() as there:
        opened = [await there.enter_async_context(peer(platform.url, f"HERE-{number}")) for number in range(PER_ADDRESS - 2)]
        while (refused := await attempt(platform, there, f"HERE-{len(opened)}", opened)) is None:
            assert len(opened) <= PER_ADDRESS
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert (await opened[0].call(call.Heartbeat())).current_time
        assert 'upgrades_refused_total{reason="address"}' in await asyncio.to_thread(platform.api, "GET", "/metrics")
    await enters(platform.url, "HERE-AFTER")


async def attempt(
    platform: RunningPlatform, there: contextlib.AsyncExitStack, name: str, opened: list[Any]
) -> websockets.Response | None:
    """One more connection; how it was refused."""
    try:
        opened.append(await there.enter_async_context(peer(platform.url, name)))
    except websockets.InvalidStatus as error:
        return error.response
    return None


async def test_guessing_is_slowed_down_and_noticed(platform: RunningPlatform) -> None:
    """After some wrong passwords even the right one must wait; history, metrics and log say what happened, never the password."""
    password = await with_password(platform, "GUESSED")
    wrong = basic("GUESSED", "not-the-password-at-all")
    for _ in range(TRIES):
        assert (await is_refused(platform.url, "GUESSED", additional_headers=wrong)).status_code == 401
    delayed = await is_refused(platform.url, "GUESSED", additional_headers=basic("GUESSED", password))
    assert delayed.status_code == 429 and int(delayed.headers["Retry-After"]) >= 1
    await enters(platform.url, "OPEN")
    await asyncio.sleep(int(delayed.headers["Retry-After"]))
    await enters(platform.url, "GUESSED", additional_headers=basic("GUESSED", password))
    await settled(platform)
    history = await items(platform, "charge-points/GUESSED/history", kind="security")
    assert [entry["value"] for entry in history] == ["LoginRefused"] * TRIES
    assert all("127.0.0.1" in entry["detail"] for entry in history)
    metrics = await asyncio.to_thread(platform.api, "GET", "/metrics")
    assert 'chargewatch_upgrades_refused_total{reason="failed_logins"}' in metrics
    assert "chargewatch_logins_refused_total" in metrics and 'chargewatch_security_events_total{type="LoginRefused"}' in metrics
    assert f'_security_events_total{{site="",charge_point="GUESSED"}} {TRIES}' in await metrics_of(platform, "GUESSED")
    assert any("log-in refused" in line and "GUESSED" in line for line in platform.output)
    header = wrong["Authorization"].removeprefix("Basic ")
    right = basic("GUESSED", password)["Authorization"].removeprefix("Basic ")
    for secret in ("not-the-password", password, header, right):
        assert not any(secret in line for line in platform.output)
        assert files_with(platform.data, secret) == []


def files_with(folder: Path, secret: str) -> list[str]:
    """Files of the platform that have this text in them."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
