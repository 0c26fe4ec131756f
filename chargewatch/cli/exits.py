"""Exit codes, and how an error leaves: one sentence on standard error, no traceback. docs/cli.md lists the codes."""

from __future__ import annotations

import sys
from enum import IntEnum

from chargenet.errors import ChargewatchError, InvalidFile, NotFound, SettingsError, Unavailable


class Exit(IntEnum):
    """What a command's end means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    """Wrong arguments, wrong settings, or a file that cannot be used."""
    NOT_FOUND = 3
    NOT_REACHABLE = 4
    """No platform answers, or a store does not."""
    REFUSED = 5
    """The charge point refused, answered with an error, did not answer in time, or is not connected."""


class CommandFailed(ChargewatchError):
    """A command cannot go on: a sentence and the exit code."""

    def __init__(self, sentence: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.code = code


def code_of(error: Exception) -> Exit:
    """The exit code that an error means."""
    if isinstance(error, CommandFailed):
        return error.code
    if isinstance(error, SettingsError | InvalidFile):
        return Exit.USAGE
    if isinstance(error, NotFound):
        return Exit.NOT_FOUND
    if isinstance(error, Unavailable) or _is_of_transport(error):
        return Exit.NOT_REACHABLE
    return Exit.FAILED


def _is_of_transport(error: Exception) -> bool:
    """An error of httpx, which a command that never asked anything has not imported."""
    httpx = sys.modules.get("httpx")
    return httpx is not None and isinstance(error, httpx.TransportError)
