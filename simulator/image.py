"""What is in an image of a simulated charge point's firmware: its version, and what goes wrong once it runs. Pure.

An image is text, then anything: `firmware 2.0.0` on its first line, then lines of `trouble number`, as `Troubles` names them. One
without the first line has the version of its name, and no troubles.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

HEAD_BYTES = 1000
"""As far as an image is looked at."""
_FIRST = re.compile(rb"firmware ([0-9A-Za-z._-]{1,40})\n")
_LINE = re.compile(rb"([a-z_]{1,40}) ([0-9]{1,9}(?:\.[0-9]{1,9})?)\n")
_VERSION = re.compile(r"\d+(?:\.\d+)+")
Share = Annotated[float, Meta(ge=0, le=1)]
Rate = Annotated[float, Meta(ge=0)]


class Troubles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a firmware does to a charge point that runs it, besides what happens to any. Rates per day of the network's life."""

    faults_per_day: Rate = 0.0
    offline_per_day: Rate = 0.0
    offline_s: Rate = 900.0
    """For how long it is gone each time."""
    boots_per_day: Rate = 0.0
    failed_sessions: Share = 0.0
    """Sessions that give no energy and end soon."""

    @property
    def any_rate(self) -> float:
        """Events a day, of all kinds that come by themselves."""
        return self.faults_per_day + self.offline_per_day + self.boots_per_day


class Image(msgspec.Struct, frozen=True):
    """A firmware."""

    version: str
    troubles: Troubles = Troubles()


def read_image(location: str, head: bytes, before: str) -> Image:
    """The image that begins with `head` and came from `location`; with no version in either, the next patch of `before`."""
    said = _FIRST.match(head)
    if said is None:
        named = _VERSION.findall(urlsplit(location).path.rsplit("/", 1)[-1])
        return Image(str(named[-1]) if named else _next(before))
    given, at = dict[str, float](), said.end()
    while (line := _LINE.match(head, at)) is not None:
        given[line[1].decode()] = float(line[2])
        at = line.end()
    try:
        return Image(said[1].decode(), msgspec.convert(given, Troubles))
    except msgspec.ValidationError:
        return Image(said[1].decode())


def make_image(version: str, troubles: Troubles, size_bytes: int = 65_536) -> bytes:
    """An image that `read_image` reads so. Raises ValueError for a version that no image can have."""
    lines = [f"firmware {version}"]
    lines += [f"{name} {value:g}" for name, value in msgspec.structs.asdict(troubles).items()]
    head = ("\n".join(lines) + "\n\n").encode()
    if _FIRST.match(head) is None:
        raise ValueError(f"{version!r} is no version of an image")
    filler = f"{version} ".encode()
    return head + (filler * (size_bytes // len(filler) + 1))[: max(0, size_bytes - len(head))]


def _next(before: str) -> str:
    head, _, last = before.rpartition(".")
    return f"{head}.{int(last) + 1}" if head and last.isdecimal() else f"{before}.1"
