"""Worker processes of heavy work. Decided here: that none outlives the process it works for, however that one ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from chargenet.errors import ChargewatchError

Telling = Callable[..., None]
"""A function of a module, called in a process of its own with a pipe to tell by, then with its arguments."""


def pool(workers: int) -> ProcessPoolExecutor:
    """Processes that end by themselves when this one is killed. They are spawned: a fork of threads and sockets is none of ours."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent)


def start(work: Telling, *arguments: Any) -> tuple[BaseProcess, Connection]:
    """One process that does `work` and tells about it, and the end of its pipe to hear it on: EOFError there once it has ended."""
    context = multiprocessing.get_context("spawn")
    hearing, telling = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, telling, *arguments), daemon=True)
    process.start()
    telling.close()
    return process, hearing


def _work(work: Telling, telling: Connection, *arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes: whoever started this one ends it
    end_with_parent()
    work(telling, *arguments)


def end_with_parent() -> None:
    """Called in a worker. A pool's worker waits for work on a pipe of which it holds both ends, so it would wait for ever once
    kill -9 took the one who gives the work. Raises ChargewatchError where it is called in a process that nobody spawned."""
    parent = multiprocessing.parent_process()
    if parent is None:
        raise ChargewatchError("this process was not spawned: it has no parent to end with")

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="ends with its parent", daemon=True).start()
