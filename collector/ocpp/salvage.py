"""Text that is almost JSON → JSON, where only one reading is possible. Decided here: which slips of the pen are corrected.

Real charge points send `"transactionId":,`, NaN, stray commas, raw control characters and Latin-1. Each is corrected in one
linear pass and reported; a truncated frame is not completed, because what it would have said is unknown.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from chargenet.events import FrameDeviated
from collector.quirks import flag

_TOKENS = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*+"?)"""
    r"""|(?P<empty>:[ \t\r\n]*+(?=[,}\]]))"""
    r"""|(?P<comma>(?:,[ \t\r\n]*+)++(?=[}\]])|(?<=[\[{])(?:[ \t\r\n]*+,)++|,(?P<more>(?:[ \t\r\n]*+,)++))"""
    r"""|(?P<nan>-?\b(?:NaN|nan|Infinity|inf)\b)""",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_LONE_SURROGATE = re.compile(
    r"(?P<good>\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_SLIPS = {
    "empty": ("json-empty-value", "a property without a value, read as null", ":null"),
    "comma": ("json-stray-comma", "a comma with nothing before or after it", ""),
    "nan": ("json-not-a-number", "NaN or Infinity, read as null", "null"),
}


def salvage(data: bytes) -> tuple[bytes, tuple[FrameDeviated, ...]]:
    """Corrected text and what was corrected; the text may still not be JSON. Never raises."""
    found: dict[str, str] = {}
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        found["json-utf8"] = f"byte {problem.start} is not UTF-8, read as U+FFFD"
        text = data.decode("utf-8", "replace")
    if text[:1] == "\ufeff" or text[-1:] == "\x00":
        found["json-wrapped"] = "a byte order mark or NUL around the text"
        text = text.lstrip("\ufeff").rstrip("\x00")

    def correct(match: re.Match[str]) -> str:
        if match.lastgroup == "string":
            return _string(match[0], found)
        rule, meaning, instead = _SLIPS[match.lastgroup or ""]
        found.setdefault(rule, meaning)
        return "," if match["more"] else instead

    text = _TOKENS.sub(correct, text)
    return text.encode("utf-8", "replace"), tuple(flag(rule, "", meaning) for rule, meaning in found.items())


def lenient(raw: bytes) -> tuple[Any, tuple[FrameDeviated, ...]]:
    """Decode a payload, correcting it first where that is needed. Raises ValueError or RecursionError."""
    try:
        return msgspec.json.decode(raw), ()
    except ValueError:
        text, deviations = salvage(raw)
        # The standard library reads 1e999 as infinity, which is then refused where it stands instead of with all the rest.
        return json.loads(text), deviations


def _string(text: str, found: dict[str, str]) -> str:
    if _CONTROL.search(text):
        found.setdefault("json-control-character", "a raw control character in a string")
        text = _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    if "\\u" in text:
        fixed = _LONE_SURROGATE.sub(lambda match: match["good"] or "\\ufffd", text)
        if fixed != text:
            found.setdefault("json-surrogate", "half of a surrogate pair, read as U+FFFD")
            text = fixed
    return text
