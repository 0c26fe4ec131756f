"""Logs: plain lines for a person at a terminal, JSON lines for machines. Decided here: what never reaches a log, and how often.

Secrets are cut out of every line, whoever wrote it: Authorization headers, passwords, keys, tokens of upload URLs. ID tokens are
personal data and appear hashed. A kind of line (logger and message template) that comes more often than `Budget` allows is
held back and counted, so that one rude charge point cannot bury the rest.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from numbers import Number
from typing import Any, TextIO

from chargenet.model.ids import IdToken

_CUT = "[cut]"
_WIRE = ("websockets", "picows", "urllib3", "httpcore", "httpx")
"""Loggers that at DEBUG print what goes over the wire, shortened in the middle of words: no pattern finds a secret in that."""
_CHATTY = ("apscheduler",)
"""Loggers that say at INFO that they do what they are there for."""
_HEADER = re.compile(r"(?i)\b(authorization\b[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|digest)\s+)?)[^\s\"',}\])]+")
_SCHEME = re.compile(r"(?i)\b((?:basic|bearer)\s+)[A-Za-z0-9+/=._~-]{8,}")
_SECRET = re.compile(
    r"(?i)([\"']?(?:[\w-]*password|passwd|secret|api[_-]?key|admin[ _-]key|private[_-]?key|access[_-]?token|upload[_-]?token)[\"']?"
    r"\s*[:=]\s*[\"']?)[^\s\"',}\])&]+"
)
_SECRET_VARIABLE = re.compile(r"AuthorizationKey|BasicAuthPassword")
"""Variables of OCPP whose value is a password: where one is named, all values of the text are cut."""
_VALUE = re.compile(r"(?i)([\"'](?:attribute)?value[\"']\s*:\s*[\"'])[^\"']*")
_URL_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@\"']+@")
_UPLOAD = re.compile(r"(/uploads?/)[A-Za-z0-9_-]{8,}")
_ID_TOKEN = re.compile(r"([\"'](?:idTag|parentIdTag|idToken)[\"']\s*:\s*(?:\{\s*[\"']idToken[\"']\s*:\s*)?[\"'])([^\"']*)([\"'])")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "suppressed"}


def redact(text: str) -> str:
    """The text without secrets, with ID tokens hashed."""
    for pattern in (_HEADER, _SCHEME, _SECRET):
        text = pattern.sub(rf"\g<1>{_CUT}", text)
    if _SECRET_VARIABLE.search(text):
        text = _VALUE.sub(rf"\g<1>{_CUT}", text)
    text = _URL_USER.sub(rf"\g<1>{_CUT}@", text)
    text = _UPLOAD.sub(rf"\g<1>{_CUT}", text)
    return _ID_TOKEN.sub(lambda found: f"{found[1]}#{IdToken(found[2]).hashed}{found[3]}", text)


def _plain(value: object) -> object:
    """An argument or extra field as it may be written."""
    if isinstance(value, IdToken):
        return f"#{value.hashed}"
    return value if value is None or isinstance(value, Number) else redact(str(value))


class Budget:
    """How often one kind of line may come: `burst` at once, then `per_minute`. Remembers at most `kinds` kinds."""

    def __init__(self, burst: int = 20, per_minute: float = 20.0, kinds: int = 1024) -> None:
        self._burst, self._per_s, self._kinds = float(burst), per_minute / 60.0, kinds
        self._state: OrderedDict[tuple[str, str], tuple[float, float, int]] = OrderedDict()
        """kind → (lines left, when that was, lines held back since the last one written)."""

    def take(self, kind: tuple[str, str], at: float) -> int | None:
        """How many lines of this kind were held back before this one; None when this one is held back as well."""
        left, before, held = self._state.pop(kind, (self._burst, at, 0))
        left = min(self._burst, left + max(0.0, at - before) * self._per_s)
        allowed = left >= 1.0
        self._state[kind] = (left - 1.0, at, 0) if allowed else (left, at, held + 1)
        if len(self._state) > self._kinds:
            self._state.popitem(last=False)
        return held if allowed else None


class Gate(logging.Filter):
    """Lets a line through its budget, and takes secrets out of its arguments. Errors with a traceback are never held back."""

    def __init__(self, budget: Budget, on_suppressed: Callable[[], None]) -> None:
        super().__init__()
        self._budget, self.on_suppressed = budget, on_suppressed

    def filter(self, record: logging.LogRecord) -> bool:
        held = 0 if record.exc_info else self._budget.take((record.name, str(record.msg)), record.created)
        if held is None:
            self.on_suppressed()
            return False
        record.suppressed = held
        arguments = record.args
        if isinstance(arguments, tuple):
            record.args = tuple(_plain(argument) for argument in arguments)
        elif arguments:
            record.args = {name: _plain(value) for name, value in arguments.items()}
        return True


class HumanFormatter(logging.Formatter):
    """`12:00:01 WARNING collector.connection: words  name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        line = redact(f"{at} {record.levelname} {record.name}: {record.getMessage()}{fields}")
        return f"{line}\n{redact(_trace(record))}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and whatever `extra` the caller gave."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        } | _fields(record)
        if record.exc_info:
            line["trace"] = redact(_trace(record))
        return json.dumps(line, ensure_ascii=False, default=str)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = {name: _plain(value) for name, value in vars(record).items() if name not in _STANDARD}
    if held := getattr(record, "suppressed", 0):
        fields["suppressed"] = held
    return fields


def _trace(record: logging.LogRecord) -> str:
    """Some libraries log an exception's class where the exception should be: then its name is all there is."""
    error: object = record.exc_info[1] if record.exc_info else None
    if isinstance(error, BaseException):
        return "".join(traceback.format_exception(error))
    return error.__name__ if isinstance(error, type) else ""


def count_suppressed(counter: Callable[[], None]) -> None:
    """Tell `counter` of each line held back from now on: logging begins before there are metrics."""
    for handler in logging.getLogger().handlers:
        for gate in handler.filters:
            if isinstance(gate, Gate):
                gate.on_suppressed = counter


def _ignore() -> None:
    """Nobody counts."""


def configure(
    stream: TextIO,
    *,
    level: str = "INFO",
    as_json: bool | None = None,
    budget: Budget | None = None,
    on_suppressed: Callable[[], None] = _ignore,
) -> logging.Handler:
    """Send all logs to `stream`, replacing what was configured. `as_json` None: JSON unless the stream is a terminal."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if (not stream.isatty() if as_json is None else as_json) else HumanFormatter())
    handler.addFilter(Gate(budget or Budget(), on_suppressed))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _WIRE:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
