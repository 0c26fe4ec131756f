"""The stopwatch of the API: what each request is counted under."""

from __future__ import annotations

from pathlib import Path

import httpx

from chargenet.settings import load
from chargewatch.api.app import create_app
from tests.support.api import FakePlatform


async def test_requests_are_counted_by_route_template_not_by_path(tmp_path: Path) -> None:
    """Ids never become label values, and what no route has is one label."""
    seen: list[tuple[str, str, int]] = []
    app = create_app(
        FakePlatform(load(None, {}, {"data_dir": tmp_path})),
        lambda method, route, status, seconds: seen.append((method, route, status)),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/healthz")
        await client.get("/api/v1/charge-points/CP-1/frames")
        await client.get("/wp-login.php")
    assert seen == [
        ("GET", "/healthz", 200),
        ("GET", "/api/v1/charge-points/{charge_point_id}/frames", 401),
        ("GET", "no such route", 404),
    ]
