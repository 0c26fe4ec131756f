"""`chargewatch up` that keeps books of its CPU time: `python -m tests.benchmarks.accounted BOOKS [alone] up --data DIR …`.

Each step of a task, and each job that a task gives to a thread, is timed by its thread's CPU clock and booked to the program or
read model that started it (0.3 µs a step; steps are batches). What the event loop's thread does outside of tasks is the
connections: receive, parse, validate, handle, append, reply. SIGUSR1 writes the books to the file BOOKS. With `alone` it runs
no program (tests.benchmarks.path_alone).
"""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import gc
import json
import os
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import process_time, thread_time
from typing import Any

import uvloop

from chargewatch import app
from chargewatch.cli import main
from chargewatch.memory import few_collections
from tests.benchmarks.path_alone import leave_programs_out

PAYER: contextvars.ContextVar[str] = contextvars.ContextVar("payer", default="")
_UNNAMED = "Task-"


class Books:
    """Seconds of CPU per payer. Threads add to it too; an addition that two of them make at one instant may be lost."""

    def __init__(self) -> None:
        self.tasks: defaultdict[str, float] = defaultdict(float)
        self.jobs: defaultdict[str, float] = defaultdict(float)
        self.longest: dict[str, float] = {}
        """The longest single step of each payer's tasks, by CPU: for so long nothing else was served."""
        self.collecting = self._collecting_since = 0.0
        gc.callbacks.append(self._collected)

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting_since = thread_time()
        else:
            spent = thread_time() - self._collecting_since
            self.collecting += spent
            self.stepped("collecting", spent)

    def stepped(self, payer: str, seconds: float) -> None:
        """Keep it if it is the longest."""
        if seconds > self.longest.get(payer, 0.0):
            self.longest[payer] = seconds

    def state(self) -> dict[str, Any]:
        """Everything booked, what each thread has used, and the longest steps since the last time that this was asked."""
        longest, self.longest = self.longest, {}
        ticks = os.sysconf("SC_CLK_TCK")
        names = {thread.native_id: thread.name for thread in threading.enumerate()}
        threads: defaultdict[str, float] = defaultdict(float)
        for task in Path("/proc/self/task").iterdir():
            fields = (task / "stat").read_text().rsplit(") ", 1)[1].split()
            threads[names.get(int(task.name), "native")] += (int(fields[11]) + int(fields[12])) / ticks
        return {
            "process": process_time(), "loop": thread_time(), "threads": threads, "tasks": self.tasks, "jobs": self.jobs,
            "collecting": self.collecting, "longest": longest,
        }  # fmt: skip


class _Booked(collections.abc.Coroutine[Any, Any, Any]):
    """A coroutine whose steps are timed."""

    def __init__(self, inner: Any, books: Books) -> None:
        self._inner, self._books, self._tasks = inner, books, books.tasks
        self._payer: str | None = None

    def _who(self) -> str:
        task = asyncio.current_task()
        name = task.get_name() if task is not None else ""
        if PAYER.get() == "" and not name.startswith(_UNNAMED):
            PAYER.set(name)
        self._payer = PAYER.get() or "main"
        return self._payer

    def send(self, value: Any) -> Any:
        return self._step(self._inner.send, value)

    def throw(self, *problem: Any) -> Any:
        return self._step(self._inner.throw, *problem)

    def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        payer = self._payer or self._who()
        began = thread_time()
        try:
            return step(*arguments)
        finally:
            spent = thread_time() - began
            self._tasks[payer] += spent
            self._books.stepped(payer, spent)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Any:
        return self._inner.__await__()


class AccountedLoop(uvloop.Loop):
    """The product's event loop, with books."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self._books = books

    def create_task(self, coroutine: Any, **options: Any) -> Any:  # type: ignore[override]  # the options are passed on
        return super().create_task(_Booked(coroutine, self._books), **options)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *arguments: Any) -> Any:  # type: ignore[override]
        payer, jobs = PAYER.get() or "main", self._books.jobs

        def job() -> Any:
            began = thread_time()
            try:
                return func(*arguments)
            finally:
                jobs[payer] += thread_time() - began

        return super().run_in_executor(executor, job)


def run(settings: Any, say: Any, books: Books, file: Path) -> None:
    """`chargewatch.app.run` on such a loop."""

    def write() -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(books.state()))
        fresh.replace(file)

    async def serve() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, write)
        await app.serve(settings, say)

    sys.setswitchinterval(app.SWITCH_S)
    with few_collections(), asyncio.Runner(loop_factory=lambda: AccountedLoop(books)) as runner:
        runner.run(serve())


if __name__ == "__main__":
    kept, target = Books(), Path(sys.argv.pop(1))
    if sys.argv[1] == "alone":
        del sys.argv[1]
        leave_programs_out()
    app.run = lambda settings, say: run(settings, say, kept, target)
    main()
