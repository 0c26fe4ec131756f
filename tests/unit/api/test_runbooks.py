"""Runbooks over HTTP: the page of an alert, without a key, and nothing else from the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargewatch.api import runbooks
from tests.support.api import Api, api_over


async def test_the_page_of_an_alert_needs_no_key(tmp_path: Path) -> None:
    """Somebody's phone at 3 a.m. has no key; the page is text that any browser shows."""
    async with api_over(tmp_path, http__listen="0.0.0.0:8080") as api:
        answer = await api.raw.get("/runbooks/SiteOffline")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.text.startswith("# SiteOffline\n")


@pytest.mark.parametrize("name", ["NoSuchAlert", "..%2Fapi", "README.md", "a" * 65, "%2e%2e"])
async def test_nothing_else_is_served(api: Api, name: str) -> None:
    """Names are letters only: no way leads out of the folder."""
    assert (await api.raw.get(f"/runbooks/{name}")).status_code in (404, 422)


async def test_an_installed_platform_finds_its_pages(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no checkout, the pages are those of the image."""
    (tmp_path / "SiteOffline.md").write_text("# from the image\n")
    monkeypatch.setattr(runbooks, "FOLDERS", (tmp_path / "none", tmp_path))
    assert (await api.raw.get("/runbooks/SiteOffline")).text == "# from the image\n"
