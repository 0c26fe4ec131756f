"""Approvals, ranges, pacing and addresses of firmware files, by values."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chargenet.errors import Conflict
from firmware_orchestrator.artifacts import Approval, approvals_that_count, download_url, require_approved
from firmware_orchestrator.byte_ranges import Slice, complete, http_date, merged, wanted
from firmware_orchestrator.pacing import Pace
from tests.support.firmware_files import NOW, artifact

TAG = '"abc"'


def approvals(*keys: str) -> tuple[Approval, ...]:
    return tuple(
        Approval(artifact_id="acme-2.4.1", key_id=key, who=key, approved_at=NOW, expires_at=NOW + timedelta(days=1)) for key in keys
    )


def test_k_of_n_keys_must_say_yes() -> None:
    """One of two is not enough, and the sentence says what to do."""
    with pytest.raises(Conflict, match=r"has 1 of 2 approvals: `chargewatch firmware approve acme-2\.4\.1` with another key"):
        require_approved(artifact(approvals_needed=2, approvals=approvals("a")), NOW)
    require_approved(artifact(approvals_needed=2, approvals=approvals("a", "b")), NOW)


def test_expired_approvals_and_those_of_revoked_keys_do_not_count() -> None:
    """Yes is not for ever, and not from somebody who is gone."""
    made = artifact(approvals=approvals("a", "b"))
    assert [each.key_id for each in approvals_that_count(made, NOW, ["a"])] == ["b"]
    assert approvals_that_count(made, NOW + timedelta(days=1)) == ()


def test_addresses_are_short_or_refused() -> None:
    """512 characters is what OCPP 2.0.1 takes; the usual one has about 60."""
    assert len(download_url("http://charge.example.org:8080", "x" * 22)) < 64
    with pytest.raises(Conflict, match=r"shorten firmware\.public_url"):
        download_url("http://" + "x" * 500, "x" * 22)


@pytest.mark.parametrize(
    ("range_", "if_range", "expected"),
    [
        (None, None, Slice(0, 100, False)),
        ("bytes=0-9", None, Slice(0, 10, True)),
        ("bytes=90-", None, Slice(90, 100, True)),
        ("bytes=90-500", None, Slice(90, 100, True)),
        ("bytes=-10", None, Slice(90, 100, True)),
        ("bytes=-500", None, Slice(0, 100, True)),
        ("bytes=100-", None, None),
        ("bytes=-0", None, None),
        ("bytes=9-3", None, Slice(0, 100, False)),
        ("bytes=0-1,5-6", None, Slice(0, 100, False)),
        ("lines=0-1", None, Slice(0, 100, False)),
        ("bytes=-", None, Slice(0, 100, False)),
        ("bytes=50-", TAG, Slice(50, 100, True)),
        ("bytes=50-", '"other"', Slice(0, 100, False)),
        ("bytes=50-", f"W/{TAG}", Slice(0, 100, False)),
        ("bytes=50-", http_date(NOW), Slice(50, 100, True)),
        ("bytes=50-", http_date(NOW + timedelta(seconds=1)), Slice(0, 100, False)),
        ("bytes=50-", "yesterday", Slice(0, 100, False)),
        ("bytes=" + "9" * 400 + "-", None, Slice(0, 100, False)),
    ],
)
def test_ranges(range_: str | None, if_range: str | None, expected: Slice | None) -> None:
    """RFC 9110 §14: what fits is a part, what cannot be had is 416, what is not understood is ignored."""
    assert wanted(range_, if_range, TAG, NOW, 100) == expected


def test_pieces_add_up_to_the_whole_file() -> None:
    """In any order, overlapping or not; a hole is a hole."""
    covered = merged(merged(merged((), 50, 100), 0, 20), 10, 40)
    assert covered == ((0, 40), (50, 100)) and not complete(covered, 100)
    assert complete(merged(covered, 40, 50), 100)
    assert merged(covered, 5, 5) == covered


def test_a_cap_spaces_the_pieces() -> None:
    """100 bytes a second: ten pieces of 100 take ten seconds, but for a burst at the start; 0 is no cap."""
    pace, now = Pace(100), 1000.0
    for _ in range(10):
        now += pace.wait_s(100, now)
    assert 9.0 < now - 1000.0 <= 10.0
    assert Pace(0).wait_s(1 << 40, 0.0) == 0.0


def test_a_pause_saves_no_more_than_a_burst() -> None:
    """After an hour of silence the line is not flooded."""
    pace = Pace(100)
    pace.wait_s(100, 0.0)
    assert pace.wait_s(1000, 3600.0) > 9.0
