"""Reads one TOML table, key by key. Decided here: how a mistake is said (`FILE: TABLE: KEY …`); an unknown key is one."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from alerts.matchers import BadMatcher, Matcher, parse_all
from chargenet.errors import SettingsError
from chargenet.settings.values import Secret

MAX_ITEMS = 1000
_NOTHING: Any = object()


class Table:
    """A table at its dotted `path`. Every `get…` marks its key as known; `close` refuses the others. All raise SettingsError."""

    def __init__(self, source: str, path: str, values: object, folder: Path) -> None:
        self.source, self.path, self.folder = source, path, folder
        if not isinstance(values, dict):
            raise SettingsError(source, path, f"expected a table: write [{path}] and its keys below it")
        self._values: dict[str, Any] = values
        self._known: list[str] = []

    def wrong(self, problem: str) -> NoReturn:
        raise SettingsError(self.source, self.path, problem)

    def has(self, key: str) -> bool:
        return key in self._values

    def raw(self, key: str) -> Any:
        self._known.append(key)
        return self._values.get(key, _NOTHING)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw(key)
        if value is _NOTHING:
            return default if default is not None else self.wrong(f"{key} is missing")
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self.wrong(f"{key} is {_shown(value)}, expected a text")
        return str(value)

    def choice(self, key: str, among: Sequence[str], default: str | None = None) -> str:
        expected = f"expected one of {', '.join(among)}"
        if default is None and not self.has(key):
            self.wrong(f"{key} is missing, {expected}")
        value = self.text(key, default)
        if value not in among:
            self.wrong(f"{key} is {value!r}, {expected}")
        return value

    def number(self, key: str, default: float | None, least: float, most: float = 31_536_000.0) -> float:
        value = self.raw(key)
        if value is _NOTHING:
            return default if default is not None else self.wrong(f"{key} is missing")
        usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not usable or not least <= value <= most:
            self.wrong(f"{key} is {_shown(value)}, expected a number from {least:g} to {most:.15g}")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.raw(key)
        if value is not _NOTHING and not isinstance(value, bool):
            self.wrong(f"{key} is {_shown(value)}, expected true or false")
        return default if value is _NOTHING else bool(value)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self.raw(key)
        if value is _NOTHING:
            return default if default is not None else self.wrong(f"{key} is missing")
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value) or not value:
            self.wrong(f"{key} is {_shown(value)}, expected a list of texts")
        if len(value) > MAX_ITEMS:
            self.wrong(f"{key} has {len(value)} items, expected at most {MAX_ITEMS}")
        return tuple(value)

    def matchers(self, key: str) -> tuple[Matcher, ...]:
        try:
            return parse_all(self.texts(key))
        except BadMatcher as error:
            self.wrong(f"{key}: {error}")

    def secret(self, key: str) -> Secret | None:
        """`key`, or the content of the file that `key_file` names; None where neither is given. Its value is in no message."""
        value, file = self.raw(key), self.raw(f"{key}_file")
        if value is not _NOTHING and file is not _NOTHING:
            self.wrong(f"{key} and {key}_file are given: give one of the two")
        if value is not _NOTHING:
            return self._secret(key, value)
        if file is _NOTHING:
            return None
        if not isinstance(file, str):
            self.wrong(f"{key}_file is {_shown(file)}, expected a path")
        try:
            return self._secret(f"{key}_file", (self.folder / file).read_text("utf-8").strip())
        except OSError as error:
            self.wrong(f"{key}_file: {file} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self.wrong(f"{key}_file: {file} is not UTF-8 text")

    def needed_secret(self, key: str) -> Secret:
        return self.secret(key) or self.wrong(f"{key} is missing")

    def url(self, key: str) -> Secret | None:
        """An http or https URL, which may be a secret: it is kept as one."""
        found = self.secret(key)
        if found is None:
            return None
        try:
            parts = urlsplit(found.reveal())
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not found.reveal().isascii() or any(sign.isspace() for sign in found.reveal()):
            self.wrong(f"{key} is not usable, expected a URL that begins with https:// or http://")
        if parts.username or parts.password:
            self.wrong(f"{key} has a user name in it, which many servers ignore: give the receiver a secret instead")
        return found

    def needed_url(self, key: str) -> Secret:
        return self.url(key) or self.wrong(f"{key} is missing")

    def table(self, key: str) -> Table:
        value = self.raw(key)
        return Table(self.source, self._below(key), {} if value is _NOTHING else value, self.folder)

    def tables(self, key: str) -> list[Table]:
        """An array of tables, [[key]]."""
        value = self.raw(key)
        if value is _NOTHING:
            return []
        if not isinstance(value, list):
            self.wrong(f"{key} is {_shown(value)}, expected tables: write [[{self._below(key)}]]")
        if len(value) > MAX_ITEMS:
            self.wrong(f"{key} has {len(value)} items, expected at most {MAX_ITEMS}")
        return [Table(self.source, f"{self._below(key)}[{number}]", each, self.folder) for number, each in enumerate(value, 1)]

    def names(self) -> list[str]:
        """The keys of a table whose keys are names."""
        return list(self._values)

    def close(self) -> None:
        for key in self._values:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, 1, 0.6)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(set(self._known)))}"
                self.wrong(f"{key} is not known; {hint}")

    def _secret(self, key: str, value: object) -> Secret:
        if not isinstance(value, str) or not value.strip():
            self.wrong(f"{key} is not usable, expected a secret text that is not empty")
        return Secret(value)

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
