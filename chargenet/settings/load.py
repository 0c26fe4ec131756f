"""Reading, checking and joining the sources. Decided here: precedence, and what is refused.

Precedence, strongest first: command line (`overrides`), `CHARGEWATCH_*` variables, the TOML file, the default. The variable of
`collector.ocpp` is `CHARGEWATCH_COLLECTOR_OCPP`; lists are comma-separated there. `CHARGEWATCH_CONFIG` names the file where the
command line does not.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from chargenet.errors import SettingsError
from chargenet.settings.check import check
from chargenet.settings.convert import convert
from chargenet.settings.keys import KEYS, PREFIX, SECTIONS, shown, value_of, variable
from chargenet.settings.sections import Settings

CONFIG_VARIABLE = PREFIX + "CONFIG"
_SECRET_FILES = {
    "key": "key_file",
    "sql.password": "sql.password_file",
    "influx.token": "influx.token_file",
    "http.probe_token": "http.probe_token_file",
    "alerts.alertmanager_token": "alerts.alertmanager_token_file",
    "programs.token": "programs.token_file",
    "billing.payments.stripe_key": "billing.payments.stripe_key_file",
    "billing.payments.webhook_secret": "billing.payments.webhook_secret_file",
}
_OPEN_ON_LOOPBACK = (
    ("collector.unknown_charge_points", "reject", "collector.ocpp"),
    ("http.open_probes", False, "http.listen"),
    ("http.open_probes", False, "programs.listen"),
)
_S = TypeVar("_S", bound=msgspec.Struct)


class Loaded(msgspec.Struct, frozen=True):
    """Settings, and for each dotted key where its value came from (a file, a variable, "command line"; absent: the default)."""

    settings: Settings
    sources: dict[str, str]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(key, value as text with secrets hidden, source) in the order of the sections."""
        for key in KEYS:
            yield key, shown(value_of(self.settings, key)), self.sources.get(key, "default")


def environment() -> dict[str, str]:
    """The CHARGEWATCH_* variables of this process."""
    return {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}


def load(
    config_path: Path | None = None, environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """All settings (`environ` None: this process's own). Raises SettingsError."""
    return load_with_sources(config_path, environ, overrides).settings


def load_with_sources(
    config_path: Path | None = None, environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Loaded:
    """As `load`, and where each value came from. Overrides (by dotted key) whose value is None are as if absent."""
    variables = environment() if environ is None else environ
    if config_path is None and variables.get(CONFIG_VARIABLE):
        config_path = Path(variables[CONFIG_VARIABLE])
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if config_path is not None:
        for key, value in _flat(_read_toml(config_path), str(config_path)):
            values[key], sources[key] = convert(key, value, str(config_path)), str(config_path)
    for key, name in _known(variables):
        values[key], sources[key] = convert(key, variables[name], name, from_text=True), name
    for key, value in (overrides or {}).items():
        if value is not None:
            values[key], sources[key] = convert(key, value, "command line"), "command line"
    _read_secret_files(values, sources)
    _close_what_others_reach(values, sources)
    settings = _build(Settings, values, "")
    check(settings, sources)
    return Loaded(settings, sources)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), "", f"is not TOML: {error}") from error


def _flat(table: Mapping[str, Any], source: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        key = prefix + name
        if key in KEYS:
            yield key, value
        elif key not in SECTIONS:
            raise SettingsError(source, key, "is no setting" + _nearest(key, (*KEYS, *SECTIONS)))
        elif isinstance(value, dict):
            yield from _flat(value, source, key + ".")
        else:
            raise SettingsError(source, key, f"is a section: write [{key}] and its settings below it")


def _known(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(key, variable) for each variable of ours."""
    keys = {variable(key): key for key in KEYS}
    for name in variables:
        if name in keys:
            yield keys[name], name
        elif name.startswith(PREFIX) and name != CONFIG_VARIABLE:
            raise SettingsError("environment", name, "is no setting" + _nearest(name, keys))


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    leaf = name.rpartition(".")[2]
    same_leaf = [each for each in names if each.rpartition(".")[2] == leaf]
    close = difflib.get_close_matches(name, names, 1, 0.6) or same_leaf
    return f"; did you mean {close[0]}?" if close else "; docs/settings.md lists them all"


def _read_secret_files(values: dict[str, Any], sources: dict[str, str]) -> None:
    for key, file_key in _SECRET_FILES.items():
        path = values.get(file_key)
        if path is None:
            continue
        if key in values:
            raise SettingsError(sources[file_key], file_key, f"contradicts {key} (from {sources[key]}): give one of the two")
        try:
            text = path.read_text("utf-8").strip()
        except OSError as error:
            raise SettingsError(sources[file_key], file_key, f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(sources[file_key], file_key, f"{path} is not UTF-8 text") from error
        values[key], sources[key] = convert(key, text, str(path)), str(path)


def _close_what_others_reach(values: dict[str, Any], sources: dict[str, str]) -> None:
    """What is open by default where only this machine can connect is closed elsewhere."""
    for key, closed, address_key in _OPEN_ON_LOOPBACK:
        address = values.get(address_key, value_of(Settings(), address_key))
        if key not in values and not address.is_loopback:
            values[key], sources[key] = closed, f"default, as {address_key} is not loopback"


def _build(struct: type[_S], values: Mapping[str, Any], prefix: str) -> _S:
    hints = get_type_hints(struct)
    given: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        if prefix + name in values:
            given[name] = values[prefix + name]
        elif prefix + name in SECTIONS:
            given[name] = _build(hints[name], values, f"{prefix}{name}.")
    return struct(**given)
