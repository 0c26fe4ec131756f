"""A thread for work on a server elsewhere. Decided here: one job after the other, and the program's end does not wait for them.

The threads of ThreadPoolExecutor are joined when the interpreter ends, so a server that says nothing would hold up that end too.
Only for work that may be cut off anywhere: what was asked for is asked for again after the next start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class DaemonThread(Executor):
    """One thread. Callers bound how much they submit."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[..., Answer], /, *arguments: Any, **options: Any) -> Future[Answer]:
        """See Executor."""
        if self._closed:
            raise RuntimeError("the thread was shut down")
        future: Future[Answer] = Future()
        self._jobs.put(lambda: _fulfil(future, lambda: work(*arguments, **options)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; what was submitted is done first. `cancel_futures` has no effect."""
        self._closed = True
        self._jobs.put(None)
        if wait:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _fulfil(future: Future[Answer], work: Callable[[], Answer]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    # The error is the caller's, who waits for the future.
    except BaseException as error:  # noqa: BLE001
        future.set_exception(error)
