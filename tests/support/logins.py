"""Logging in as a charge point: by password, and what one hears who is not let in."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import websockets
from ocpp.v16 import call

from tests.support.peer import peer, request, settled
from tests.support.platform import RunningPlatform


def basic(name: str, password: str | bytes) -> dict[str, str]:
    """The header of HTTP Basic authentication."""
    raw = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + base64.b64encode(name.encode() + b":" + raw).decode()}


async def enters(url: str, name: str, **options: Any) -> None:
    """It connects, and is served."""
    async with peer(url, name, **options) as point:
        assert (await point.call(call.Heartbeat())).current_time


async def is_refused(url: str, name: str, **options: Any) -> websockets.Response:
    """The HTTP response that it got instead of a WebSocket."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with peer(url, name, **options):
            pass
    return refused.value.response


async def profile_of(platform: RunningPlatform, name: str) -> int:
    """The security profile under which it last connected."""
    await settled(platform)
    _, shown = await request(platform, "GET", f"/api/v1/charge-points/{name}")
    profile: int = shown["state"]["security_profile"]
    return profile


async def with_password(platform: RunningPlatform, name: str, password: str | None = None) -> str:
    """Registered; its password, as it was given or generated."""
    assert (await request(platform, "POST", "/api/v1/charge-points", json={"charge_point_id": name}))[0] == 201
    _, made = await request(platform, "POST", f"/api/v1/charge-points/{name}/password", json={"password": password})
    return password or str(made["password"])
