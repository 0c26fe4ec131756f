"""Blocking clients in threads of their own. Decided here: a call that hangs costs its thread, never the loop or the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from alerts.notifiers.port import Result
from alerts.relay.rows import Outcome
from chargenet.storage.daemon_thread import DaemonThread


class Blocking:
    """Runs one blocking call at a time for one receiver. One beyond its limit keeps its thread; until it ends, nobody is let in."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: DaemonThread | None = None
        self._busy: asyncio.Future[Result] | None = None

    async def call(self, work: Callable[[], Result], timeout_s: float) -> Result:
        """What `work` gives; RETRY when it takes longer, or an earlier one still runs."""
        if self._busy is not None and not self._busy.done():
            return Result(outcome=Outcome.RETRY, detail="an earlier attempt has not returned yet")
        self._thread = self._thread or DaemonThread(self._name)
        self._busy = asyncio.wrap_future(self._thread.submit(work))
        self._busy.add_done_callback(_looked_at)
        done, _ = await asyncio.wait({self._busy}, timeout=timeout_s)
        if not done:
            return Result(outcome=Outcome.RETRY, detail=f"no answer within {timeout_s:g} s")
        return self._busy.result()


def _looked_at(future: asyncio.Future[Result]) -> None:
    """The error of a call that nobody waits for any more is known to nobody: it must not become a warning at the end."""
    if not future.cancelled():
        future.exception()
