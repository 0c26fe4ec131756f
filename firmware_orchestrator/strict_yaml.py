"""YAML (and JSON, which is a part of it) as people write it, read without surprises. Decided here: a scalar is text until the field
that it is for says otherwise, so that version 2.10 is not 2.1 and 22:00 is not 1320; a mistake has a line, a key and a sentence.

No anchors, no tags, no key twice, and bounds on size and depth.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import yaml

from chargenet.errors import InvalidFile

T = TypeVar("T")
Path = tuple[str | int, ...]
MAX_BYTES = 256 << 10
MAX_DEPTH = 12
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_WHERE = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<where>(?:key in )?[^`]*)`)?$", re.DOTALL)
_PART = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<at>\d+)\]")
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`(?:, got `[^`]+`)?(?P<limit>.*)")
_LENGTH = re.compile(r"of length (?P<sign>>=|<=) (?P<count>\d+)")
_BELOW = "one of its values: "
_WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text", "array": "a list"}


class Document:
    """Texts, lists and mappings of a file, and the line of each."""

    def __init__(self, source: str, value: Any, lines: Mapping[Path, int]) -> None:
        self.source, self.value, self.lines = source, value, lines

    def wrong(self, path: Path, problem: str) -> InvalidFile:
        """The error of the value at `path`; the line is that of the nearest part that is there."""
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        return InvalidFile(self.source, self.lines.get(at), dotted(path), problem)


def read(text: str, source: str) -> Document:
    """The document of a text. `source` is its file name. Raises InvalidFile."""
    if len(text.encode()) > MAX_BYTES:
        raise InvalidFile(source, None, "", f"has more than {MAX_BYTES >> 10} KiB")
    try:
        _bounded(text, source)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if isinstance(mark, yaml.Mark) else None
        raise InvalidFile(source, line, "", f"is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise InvalidFile(source, None, "", f"is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(node, yaml.MappingNode):
        raise InvalidFile(source, 1, "", "expected `key: value` lines")
    lines: dict[Path, int] = {}
    return Document(source, _value(node, (), lines, source), lines)


def convert(document: Document, kind: type[T], at: Path = ()) -> T:
    """The document, or the part of it at `at`, as a Struct. Raises InvalidFile."""
    value = _at(document.value, at)
    _known_keys(document, at, value, kind)
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        path, problem = _located(str(error))
        raise document.wrong((*at, *path), _sentence(document, (*at, *path), problem, _choices(kind, path))) from error


def parsed(document: Document, path: Path, text: str, parse: Callable[[str], T]) -> T:
    """A text in a spelling of its own; `parse` raises ValueError with what was expected. Raises InvalidFile."""
    try:
        return parse(text.strip())
    except ValueError as error:
        raise document.wrong(path, f"is {text!r}: {error}") from error


def dotted(path: Path) -> str:
    """`waves.sizes[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _bounded(text: str, source: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidFile(source, line, "", "anchors and aliases (& and *) are not read here: write the value out")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise InvalidFile(source, line, "", f"the tag {tag} is not read here: write the value plainly")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InvalidFile(source, line, "", f"is nested deeper than {MAX_DEPTH}")


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], source: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return None if node.style is None and node.value in _NULL else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, (*path, number), lines, source) for number, each in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key, each in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise InvalidFile(source, line, dotted(path), "a key must be a text")
        if key.value in found:
            raise InvalidFile(source, line, dotted((*path, key.value)), "is there twice")
        lines[(*path, key.value)] = line
        found[key.value] = _value(each, (*path, key.value), lines, source)
    return found


def _known_keys(document: Document, path: Path, value: Any, kind: Any) -> None:
    """msgspec names an unknown key too, but neither its line nor what was meant."""
    kind, arguments = _plain(kind)
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
        hints = get_type_hints(kind)
        for key, each in value.items():
            if key not in fields:
                close = difflib.get_close_matches(key, fields, 1, 0.6)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(fields)}"
                raise document.wrong((*path, key), f"is not known; {hint}")
            _known_keys(document, (*path, key), each, hints[fields[key]])
    elif isinstance(value, dict) and arguments:
        for key, each in value.items():
            _known_keys(document, (*path, key), each, arguments[-1])
    elif isinstance(value, list) and arguments:
        for number, each in enumerate(value):
            _known_keys(document, (*path, number), each, arguments[0])


def _plain(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without `| None` and `Annotated`, and its arguments."""
    while True:
        arguments = get_args(kind)
        if hasattr(kind, "__metadata__"):
            kind = arguments[0]
        elif type(None) in arguments:
            kind = next(each for each in arguments if each is not type(None))
        else:
            origin = get_origin(kind)
            return (origin or kind), tuple(each for each in arguments if each is not Ellipsis)


def _located(message: str) -> tuple[Path, str]:
    match = _WHERE.match(message)
    assert match is not None
    where = (match["where"] or "").removeprefix("key in ")
    known, somewhere, _ = where.partition("[...]")  # msgspec does not say under which key of a free mapping
    parts = [part["name"] if part["name"] is not None else int(part["at"]) for part in _PART.finditer(known)]
    return tuple(parts), f"{_BELOW if somewhere else ''}{match['problem']}"


def _choices(kind: Any, path: Path) -> tuple[str, ...]:
    """The words that can stand at `path`, where only some can."""
    for part in path:
        origin, arguments = _plain(kind)
        if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
            names = {field.encode_name: field.name for field in msgspec.structs.fields(origin)}
            kind = get_type_hints(origin).get(names.get(str(part), ""))
        else:
            kind = arguments[-1] if arguments else None
    origin, arguments = _plain(kind)
    if isinstance(origin, type) and issubclass(origin, Enum):
        return tuple(str(each.value) for each in origin)
    return tuple(str(each) for each in arguments) if origin is Literal else ()


def _sentence(document: Document, path: Path, problem: str, choices: tuple[str, ...] = ()) -> str:
    """msgspec's sentence in words of the file: what is there, and what was expected."""
    missing = re.fullmatch(r"Object missing required field `(?P<name>[^`]+)`", problem)
    if missing:
        return f"{missing['name']} is missing"
    if problem.startswith(_BELOW):
        said = _sentence(document, (), problem.removeprefix(_BELOW))
        return f"one of its values is wrong: {said.removeprefix('has more below it, ')}"
    said = _at(document.value, path)
    if isinstance(said, list) and (bound := _LENGTH.search(problem)):
        return f"has {len(said)} in its list, expected at {'least' if bound['sign'] == '>=' else 'most'} {bound['count']}"
    shown = _shown(said)
    if match := _EXPECTED.fullmatch(problem):
        wanted = match["wanted"].split(" | ")
        words = " or ".join(_WORDS.get(each, "more below it" if each == "object" else each) for each in wanted if each != "null")
        return f"{shown}, expected {words}{match['limit'].replace('`', '')}"
    if problem.startswith("Invalid enum value"):
        return f"{shown}, expected {', '.join(choices)}"
    return problem


def _shown(said: Any) -> str:
    if isinstance(said, str):
        return f"is {said!r}"
    return "is empty" if said is None else "is a list" if isinstance(said, list) else "has more below it"


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
    return value
