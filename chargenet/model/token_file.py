"""Token files: CSV with a header, columns value, kind, status, parent, expires_at (the last four optional). Decided here: which
lines are taken, and the reason that each other line is not."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from chargenet.model.token import TokenImport, TokenReject, TokenRow
from chargenet.model.words import TokenKind, TokenStatus

COLUMNS = ("value", "kind", "status", "parent", "expires_at")
MAX_VALUE_LENGTH = 255
_KINDS = {str(kind).casefold(): str(kind) for kind in TokenKind}
_STATUSES = {
    str(status).casefold(): str(status)
    for status in (TokenStatus.ACCEPTED, TokenStatus.BLOCKED, TokenStatus.EXPIRED, TokenStatus.INVALID)
}


class _Rejected(Exception):
    """This line is not taken; its text is the reason."""


def read_tokens(lines: Iterable[str], now: datetime) -> TokenImport:
    """Rows of a token file, and the lines that were not taken. Pure; nothing is stored."""
    tokens: dict[str, TokenRow] = {}
    rejects: list[TokenReject] = []
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip().casefold().lstrip("\ufeff") for name in next(reader, [])]
        if problem := _wrong_header(header):
            return TokenImport((), (TokenReject(1, problem),))
        for line, cells in _filled(reader):
            try:
                row = _row(dict(zip(header, cells, strict=False)), len(cells) > len(header), now)
                if row.key in tokens:
                    raise _Rejected(f"the value {row.value!r} is in this file twice")
                tokens[row.key] = row
            except _Rejected as reason:
                rejects.append(TokenReject(line, str(reason)))
    except csv.Error as error:
        rejects.append(TokenReject(reader.line_num, f"not CSV from here on: {error}"))
    return TokenImport(tuple(tokens.values()), tuple(rejects))


def _filled(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]  # type: ignore[attr-defined]


def _wrong_header(header: list[str]) -> str | None:
    if "value" not in header:
        return f"the first line must name the columns: {','.join(COLUMNS)}"
    if unknown := [name for name in header if name not in COLUMNS]:
        return f"unknown column {unknown[0]!r}: the columns are {','.join(COLUMNS)}"
    return None


def _row(cells: dict[str, str], too_many: bool, now: datetime) -> TokenRow:
    if too_many:
        raise _Rejected("more cells than columns")
    value = cells.get("value", "")
    if not value:
        raise _Rejected("no value")
    if len(value) > MAX_VALUE_LENGTH:
        raise _Rejected(f"the value is longer than {MAX_VALUE_LENGTH} characters")
    return TokenRow(
        value=value,
        kind=_word(cells.get("kind"), _KINDS, str(TokenKind.UNKNOWN), "kind"),
        status=_word(cells.get("status"), _STATUSES, str(TokenStatus.ACCEPTED), "status"),
        parent=cells.get("parent") or None,
        expires_at=_expiry(cells.get("expires_at")),
        created_at=now,
        updated_at=now,
    )


def _word(text: str | None, known: dict[str, str], default: str, column: str) -> str:
    if not text:
        return default
    word = known.get(text.casefold())
    if word is None:
        raise _Rejected(f"{column} {text!r} is not one of {', '.join(known.values())}")
    return word


def _expiry(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Rejected(f"expires_at {text!r} is not an instant such as 2027-01-31T00:00:00Z") from None
