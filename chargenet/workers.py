"""Worker processes of heavy work. Decided here: that none outlives the process it works for, however that one ended."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor

from chargenet.errors import ChargewatchError


def pool(workers: int) -> ProcessPoolExecutor:
    """Processes that end by themselves when this one is killed. They are spawned: a fork of threads and sockets is none of ours."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent)


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
