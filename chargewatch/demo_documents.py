"""The documents that end the demonstration's day: statements, a utilization report and an uptime report, as files that stay.

Decided here: which ones, and where. The demonstration's data folder is removed; these are what a visitor takes home.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from billing_reports.formats import Report, report_file, statement_file
from billing_reports.report_desk import ReportDesk
from billing_reports.statement import Statement
from chargenet.errors import ChargewatchError
from chargenet.ports import Clock
from chargewatch.demo_billing import ZONE, bill_the_day

if TYPE_CHECKING:
    from chargewatch.platform import RunningPlatform

NAME = "Stromhafen GmbH"
PATIENCE_S = 25.0
"""How long a visitor waits for the statements."""


async def end_the_day(platform: RunningPlatform, ended_at: datetime, say: Callable[[str], None]) -> list[Path]:
    """Bills the day, which ended at `ended_at`, and writes its documents. Says what could not be made; raises nothing for it."""

    async def statements() -> Sequence[Statement]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await bill_the_day(platform.billing, platform.clock)
        except TimeoutError:
            say("  no statement: what was charged is not billed yet")
        except ChargewatchError as error:
            say(f"  no statement: {error}")
        return []

    return await write_documents(platform.reports.desk, statements, platform.clock, ended_at, say)


async def write_documents(
    desk: ReportDesk,
    statements: Callable[[], Awaitable[Sequence[Statement]]],
    clock: Clock,
    now: datetime,
    say: Callable[[str], None],
) -> list[Path]:
    """Writes what can be made into a new folder and says where each is; what cannot be made is said too."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="chargewatch-demo-documents-"))
    written: list[Path] = []

    async def leave(name: str, make: Callable[[], Awaitable[bytes]]) -> None:
        try:
            body = await make()
        except ChargewatchError as error:
            say(f"{name} is not written: {error}")
            return
        path = folder / name
        await asyncio.to_thread(path.write_bytes, body)
        written.append(path)
        say(f"  {path}")

    say("the day's documents:")
    for language, ending in (("en", "en"), ("de", "de")):
        await leave(
            f"utilization-{ending}.pdf", _file(lambda: desk.utilization(now - timedelta(days=1), now, ZONE), language, clock)
        )
    month = now.date().replace(day=1)
    await leave("uptime.pdf", _file(lambda: desk.uptime([month], ZONE, until=now), "en", clock))
    await leave("session-quality.pdf", _file(lambda: desk.quality(now - timedelta(days=1), now, ZONE), "en", clock))
    for each in await statements():
        await leave(f"statement-{each.number or each.id}.pdf", lambda each=each: asyncio.to_thread(statement_file, each, "pdf"))  # type: ignore[misc]
    return written


def _file(ask: Callable[[], Awaitable[Report]], language: str, clock: Clock) -> Callable[[], Awaitable[bytes]]:
    async def made() -> bytes:
        report = await ask()
        return await asyncio.to_thread(report_file, report, "pdf", clock.now(), language, NAME)

    return made
