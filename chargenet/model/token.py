"""Rows of the token table. Primary data."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargenet.model.words import TokenKind, TokenStatus


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """One ID token that we know. `value` as entered; its key is `IdToken.key` (case folded)."""

    value: str
    kind: str = TokenKind.UNKNOWN
    status: str = TokenStatus.ACCEPTED
    parent: str | None = None
    """1.6 parentIdTag, 2.x groupIdToken."""
    expires_at: datetime | None = None
    note: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def key(self) -> str:
        return self.value.casefold()


class TokenReject(msgspec.Struct, frozen=True):
    """One line of an import that was not taken, and why. Lines count from 1, the header included."""

    line: int
    reason: str


class TokenImport(msgspec.Struct, frozen=True):
    """Outcome of reading a token file."""

    tokens: tuple[TokenRow, ...]
    rejects: tuple[TokenReject, ...]
