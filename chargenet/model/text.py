"""What text and numbers become before they are kept in a database. Decided here: nothing that came may block a store.

JSON may carry U+0000 and numbers of any size; PostgreSQL takes no U+0000, and both databases end at 64 bits. The journal keeps
the frame as it came, so that nothing is lost by this.
"""

from __future__ import annotations

_LARGEST = 2**63 - 1


def storable_text(text: str) -> str:
    """`text` with U+0000 and lone surrogates replaced by U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable_number(number: int) -> int:
    """`number` cut to 64 bits."""
    return number if -_LARGEST <= number <= _LARGEST else (_LARGEST if number > 0 else -_LARGEST)
