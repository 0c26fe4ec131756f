"""Commands that are imported when they are used. Decided here: that a list of commands costs the import of none of them.

`chargewatch --help` shows the line that the table has of each command (a test holds it to the command's own); everything else
imports the module of the one command that was named.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

Rows = tuple[tuple[str, str, str], ...]
"""(name, `module:attribute` in chargewatch.cli, one line of help); the attribute is a function or a Typer."""


class Commands(MutableMapping[str, Any]):
    """Name → command, imported when it is first looked up. Names, their order and their number cost nothing."""

    def __init__(self, rows: Rows, inside: Mapping[str, Rows]) -> None:
        self.rows = {name: (where, line) for name, where, line in rows}
        self._inside, self._made = inside, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._command(name)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self.rows.setdefault(name, ("", ""))
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self.rows[name]
        self._made.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, name: object) -> bool:
        return name in self.rows

    def _command(self, name: str) -> Any:
        found, holder = _found(self.rows[name][0]), typer.Typer(add_completion=False, callback=_nothing)
        if isinstance(found, typer.Typer):
            known = {each.name for each in found.registered_commands}
            for inner, where, _ in self._inside.get(name, ()):
                if inner not in known:
                    found.command(inner)(_found(where))
            holder.add_typer(found, name=name)
        else:
            holder.command(name)(found)
        group: Any = typer.main.get_command(holder)
        return group.commands[name]


def lazy_group(rows: Rows, inside: Mapping[str, Rows]) -> type[TyperGroup]:
    """A group of these commands for `typer.Typer(cls=…)`. `inside`: commands of other modules that belong into a group."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = Commands(rows, inside)

        def list_commands(self, ctx: Any) -> list[str]:
            return list(self.commands)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            lines = copy.copy(self)
            lines.commands = {name: TyperCommand(name, help=line) for name, _, line in rows}
            TyperGroup.format_help(lines, ctx, formatter)

    return LazyGroup


def _found(where: str) -> Any:
    module, _, attribute = where.partition(":")
    return getattr(import_module(f"chargewatch.cli.{module}"), attribute)


def _nothing() -> None:
    """Makes a group of a Typer with one command."""
