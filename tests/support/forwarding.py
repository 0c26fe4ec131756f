"""A collector's API with programs apart behind it, both over fakes, each on a real listener."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from chargenet.model.words import Role
from chargenet.settings import load
from chargewatch.apart.joints import elsewhere, program_door
from chargewatch.api.app import create_app
from chargewatch.programs import ALL
from tests.support.api import FakePlatform
from tests.support.doors import TOKEN, served


class Forwarded:
    """`keys`: role → secret, of the collector alone. `far` and `near` are the platforms behind `program` and `collector` (URLs)."""

    def __init__(self, near: FakePlatform, far: FakePlatform, collector: str, program: str, keys: dict[str, str]) -> None:
        self.near, self.far, self.collector, self.program, self.keys = near, far, collector, program, keys

    def client(self, role: str | None = "admin", **options: Any) -> httpx.AsyncClient:
        """A caller of the collector with a key of this role; None: without."""
        headers = {} if role is None else {"Authorization": f"Bearer {self.keys[role]}"}
        return httpx.AsyncClient(base_url=self.collector, headers=headers, timeout=30, **options)

    async def audited(self) -> list[tuple[str, str]]:
        """(who, action) of what the program did."""
        page = await self.far.stores.audit.page(limit=100)
        return [(entry.who, entry.action) for entry in page.items]


@asynccontextmanager
async def forwarded(
    folder: Path, far_app: Any = None, away: dict[str, str] | None = None, **given: Any
) -> AsyncIterator[Forwarded]:
    """`far_app` answers in the program's place; `away`: other URLs than its own. Settings by dotted key, with `_` doubled."""
    own = {"data_dir": folder, "sql.url": "postgresql+psycopg://x@127.0.0.1/x", "programs.token": TOKEN.reveal()}
    own |= {name.replace("__", "."): value for name, value in given.items()}
    far = FakePlatform(load(None, {}, own))
    far.here = ALL  # type: ignore[attr-defined]
    app = far_app or program_door(cast("Any", far), create_app(cast("Any", far)))
    async with served(app) as program:
        urls = {f"programs.{name}_url": program for name in ALL} | {
            name.replace("__", "."): url for name, url in (away or {}).items()
        }
        near = FakePlatform(load(None, {}, own | urls))
        keys = {role.value: (await near.keys.create(f"{role.value} ü", role, near.clock.now())).secret for role in Role}
        app = create_app(cast("Any", near), here={"collector"}, elsewhere=elsewhere(cast("Any", near)))
        async with served(app) as collector:
            yield Forwarded(near, far, collector, program, keys)
