"""Every error chargewatch raises on purpose, and whose fault each one is.

    ChargewatchError
    ├── SettingsError        the operator's: a setting is wrong; names the key and what to do
    ├── NotFound             the caller's: it asked for something that is not there
    ├── Conflict             the caller's: what it asked for contradicts what is
    ├── InvalidCall          the caller's: a call that its OCPP schema refuses, before it leaves
    ├── InvalidFile          the caller's: a file that it gave cannot be used; names the line and the key
    ├── NotPermitted         the caller's: the key lacks the role
    └── Unavailable          the machine's: a store, disk or server does not answer now; retry later
        ├── StoreUnavailable
        └── JournalUnavailable   disk full or failing: nothing more can be acknowledged

The message is a sentence for a person; the data a program needs is on attributes.
"""

from __future__ import annotations


class ChargewatchError(Exception):
    """Base of all errors raised on purpose. Its text may be shown to a user as it is."""


class SettingsError(ChargewatchError):
    """A setting is wrong. `key` is dotted, e.g. `collector.ocpp.listen`; `source` is a file or variable name."""

    def __init__(self, source: str, key: str, problem: str) -> None:
        super().__init__(f"{source}: {key}: {problem}" if key else f"{source}: {problem}")
        self.source, self.key, self.problem = source, key, problem


class NotFound(ChargewatchError):
    """`kind` (e.g. "charge point") with this `name` does not exist."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name!r} is not known")
        self.kind, self.name = kind, name


class Conflict(ChargewatchError):
    """The request contradicts the present state; the text says how."""


class InvalidCall(ChargewatchError):
    """A call to a charge point that its schema refuses. `action` as in OCPP; `problem` names the field."""

    def __init__(self, action: str, problem: str) -> None:
        super().__init__(f"{action}: {problem}")
        self.action, self.problem = action, problem


class InvalidFile(ChargewatchError):
    """A file that the caller gave is wrong. `line` counts from 1 (None: the file as a whole); `key` is dotted, e.g. `waves[1]`."""

    def __init__(self, source: str, line: int | None, key: str, problem: str) -> None:
        where = [source] if line is None else [source, f"line {line}"]
        super().__init__(": ".join([*where, key, problem] if key else [*where, problem]))
        self.source, self.line, self.key, self.problem = source, line, key, problem


class NotPermitted(ChargewatchError):
    """The key is valid but lacks `role`."""

    def __init__(self, role: str) -> None:
        super().__init__(f"this needs a key with the role '{role}'")
        self.role = role


class Unavailable(ChargewatchError):
    """Something outside does not answer now. Retrying later may help; changing the request will not."""


class StoreUnavailable(Unavailable):
    """A store (`sql`, `telemetry`, ...) does not answer; `problem` is its own word for it."""

    def __init__(self, store: str, problem: str) -> None:
        super().__init__(f"{store} store is unavailable: {problem}")
        self.store, self.problem = store, problem


class JournalUnavailable(Unavailable):
    """The journal cannot make records durable (disk full, I/O error): nothing may be acknowledged."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"journal cannot write: {problem}")
        self.problem = problem


def first_of(error: BaseException) -> BaseException:
    """Of a group of tasks that ended together: what went wrong first; the rest was ended because of it."""
    return first_of(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
