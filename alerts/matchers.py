"""Matchers of labels, as routes, inhibitions and silences use them. Decided here: how one is written and when it matches.

    site=harbour         is exactly this (an absent label is the empty text)
    site!=harbour        is not
    kind~Meter*|Boot*    fits one of the patterns; * is any text
    kind!~Meter*         fits none

Patterns, not regular expressions: they take linear time whatever is written, so that no
silence can hold up a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache

import msgspec

MAX_TEXT = 512
MAX_MATCHERS = 20
_FORM = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,63})\s*(!=|!~|=|~)\s*(.*)", re.DOTALL)

Labels = Mapping[str, str]


class BadMatcher(ValueError):
    """A text that is no matcher; says what is wrong with it."""


class Matcher(msgspec.Struct, frozen=True):
    """One condition on one label. `operator` is =, !=, ~ or !~."""

    label: str
    operator: str
    value: str

    def matches(self, labels: Labels) -> bool:
        """Does it hold for these labels?"""
        found = labels.get(self.label, "")
        fits = found == self.value if self.operator in ("=", "!=") else _pattern(self.value).fullmatch(found) is not None
        return fits != self.operator.startswith("!")

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{self.value}"


def parse(text: str) -> Matcher:
    """A matcher from its text. The value may stand in double quotes. Raises BadMatcher."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise BadMatcher(f"{text!r} is no matcher, expected LABEL=VALUE, LABEL!=VALUE, LABEL~PATTERN or LABEL!~PATTERN")
    label, operator, value = found.groups()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if len(value) > MAX_TEXT or not value.isprintable():
        raise BadMatcher(f"the value of {label} is not printable, or longer than {MAX_TEXT} characters")
    return Matcher(label, operator, value)


def parse_all(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """Several matchers that must all hold. Raises BadMatcher, also for none and for too many."""
    matchers = tuple(parse(text) for text in texts)
    if not matchers or len(matchers) > MAX_MATCHERS:
        raise BadMatcher(f"expected 1 to {MAX_MATCHERS} matchers")
    return matchers


def all_match(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Do all hold? No matcher matches everything."""
    return all(matcher.matches(labels) for matcher in matchers)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """Python's translation of `*` never backtracks over an earlier one; ? and [ ] mean themselves here."""
    quoted = ("".join(f"[{sign}]" if sign in "?[" else sign for sign in part.strip()) for part in text.split("|"))
    return re.compile("|".join(translate(part) for part in quoted))
