"""A rebuild of what the journal no longer holds is refused, with what it would lose."""

from __future__ import annotations

from chargenet.model.words import RecordKind
from chargenet.testing import MemoryJournal
from chargewatch.rebuilding import _lost


def test_what_would_be_lost_is_said() -> None:
    """Where the journal begins and when, how many records are gone, and what only they said."""
    journal = MemoryJournal()
    for _ in range(3):
        journal.append(
            received_at_us=1_767_225_600_000_000, charge_point_id="CP", generation=0, protocol="ocpp1.6", kind=RecordKind.CALL,
            frame=b"[2,\"1\",\"Heartbeat\",{}]",
        )  # fmt: skip
    sentence = _lost(journal, 3)
    assert sentence.startswith("the journal begins at record 3 of 2026-01-01 00:00 UTC: retention has removed the 2 before it")
    assert all(word in sentence for word in ("transactions", "measurements", "hourly rollups", "Nothing was changed", "backup"))


def test_an_empty_journal_has_no_first_instant() -> None:
    """All its records are gone: the sentence does without an instant."""
    assert "begins at record 8:" in _lost(MemoryJournal(), 8)
