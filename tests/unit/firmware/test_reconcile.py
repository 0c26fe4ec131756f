"""What charge points say of an update, as real ones say it: repeated, late, left out, in disorder, or unasked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargenet import events as e
from chargenet.events import Event, Fact
from firmware_orchestrator.answers import answered, next_form
from firmware_orchestrator.reconcile import PROGRESS, elapse, hear
from firmware_orchestrator.rollout import UPDATE_ENDS, UpdateState, may
from firmware_orchestrator.rows import DeviceUpdate
from firmware_orchestrator.steps import Terms
from tests.support.firmware_files import NOW

OLD, NEW = "1.0.0", "2.0.0"
TERMS = Terms(is_expected=lambda version: version == NEW)
S = UpdateState


def said(status: str, request_id: int | None = None) -> Event:
    """A status of the update."""
    return e.FirmwareStatusReported(status=status, request_id=request_id)


def booted(version: str | None) -> Event:
    """A boot with this version."""
    return e.ChargePointBooted(vendor="Acme", model="AC-22", serial_number=None, firmware_version=version, registration="Accepted")


def update(state: UpdateState = S.SENT, **changes: Any) -> DeviceUpdate:
    """An update whose order was sent half an hour ago, over connection 1."""
    given: dict[str, Any] = {
        "rollout_id": "new", "charge_point_id": "CP-1", "wave": 0, "state": state, "state_at": NOW - timedelta(minutes=30),
        "from_version": OLD, "attempt": 1, "request_id": 77, "sent_at": NOW - timedelta(minutes=30), "generation": 1,
    }  # fmt: skip
    return DeviceUpdate(**(given | changes))


def told(row: DeviceUpdate, *events: Event, generation: int = 1) -> tuple[DeviceUpdate, list[tuple[str, str]]]:
    """The update after these, a minute apart; kind and sentence of the lines of its history."""
    lines: list[tuple[str, str]] = []
    for number, event in enumerate(events):
        fact = Fact(number + 1, NOW + timedelta(minutes=number), "CP-1", generation, "ocpp1.6", "", (event,))
        step = hear(row, fact, event, TERMS)
        if step is not None:
            row = step.update
            lines += [(entry.kind, entry.sentence) for entry in step.entries]
    return row, lines


# -- statuses


def test_a_status_that_is_repeated_is_one_step() -> None:
    """Charge points say where they are every minute."""
    row, lines = told(update(), *[said("Downloading")] * 5)
    assert row.state is S.DOWNLOADING and lines == [("update", "Downloading")]


def test_statuses_that_were_left_out_are_no_reason_to_wait() -> None:
    """From the order straight to Installed: the claim is taken, and the proof is still missing."""
    row, _ = told(update(), said("Installed"))
    assert row.state is S.CLAIMED and row.claimed_at == NOW
    row, lines = told(row, booted(NEW), generation=2)
    assert row.state is S.VERIFIED and lines == [("update", "booted with 2.0.0")]


def test_a_version_that_changes_without_a_word_is_the_proof() -> None:
    """No status at all: what it booted with counts."""
    row, lines = told(update(), booted(NEW), generation=2)
    assert row.state is S.VERIFIED and lines == [("update", "booted with 2.0.0, without a word of having installed it")]


def test_what_comes_out_of_order_changes_nothing_and_is_written_down() -> None:
    """Downloading after Installing was delayed on its way."""
    row, lines = told(update(), said("Installing"), said("Downloading"))
    assert row.state is S.INSTALLING and lines[-1] == ("ignored", "Downloading came after installing")


def test_the_status_of_another_order_is_not_ours() -> None:
    """A number that is not the present order's; none, 0 and −1 mean none."""
    row, lines = told(update(), said("Installed", 76))
    assert row.state is S.SENT and lines == [("ignored", "Installed of order 76, which is not the present one")]
    for number in (None, 0, -1, 77):
        assert told(update(), said("Downloading", number))[0].state is S.DOWNLOADING


def test_what_nobody_asked_for_is_noticed() -> None:
    """A status, or another version, before we sent anything: somebody else updates it. Ours already there: nothing to do."""
    waits = update(S.QUEUED, attempt=0, request_id=None, sent_at=None)
    row, lines = told(waits, said("Downloading"))
    assert row.state is S.QUEUED and lines == [("unsolicited", "Downloading without an order of ours")]
    row, lines = told(waits, booted("1.5.0"))
    assert (row.state, row.from_version) == (S.QUEUED, "1.5.0") and lines[0][0] == "unsolicited"
    row, _ = told(waits, booted(NEW))
    assert (row.state, row.code) == (S.SKIPPED, "already")


def test_a_word_that_nobody_knows_is_written_down() -> None:
    """Vendors invent some."""
    row, lines = told(update(), said("Flashing"))
    assert row.state is S.SENT and lines == [("ignored", "the status 'Flashing' means nothing to us")]


def test_security_events_say_what_statuses_say() -> None:
    """Some charge points send only one of the two."""
    assert told(update(S.INSTALLING), e.SecurityEventReported(type="FirmwareUpdated"))[0].state is S.CLAIMED
    row, _ = told(update(S.DOWNLOADED), e.SecurityEventReported(type="InvalidFirmwareSignature"))
    assert (row.state, row.code) == (S.FAILED, "signature")
    assert told(update(S.INSTALLING), e.SecurityEventReported(type="SettingSystemTime"))[0].state is S.INSTALLING


# -- what it runs


@pytest.mark.parametrize(
    ("state", "version", "ends"),
    [
        (S.CLAIMED, OLD, S.MISMATCH),
        (S.REBOOTING, OLD, S.REVERTED),
        (S.VERIFIED, OLD, S.REVERTED),
        (S.VERIFIED, "3.0.0", S.MISMATCH),
        (S.INSTALLING, "3.0.0", S.MISMATCH),
        (S.DOWNLOADING, OLD, S.RETRYING),
        (S.VERIFIED, NEW, S.VERIFIED),
        (S.SENT, None, S.SENT),
    ],
)
def test_a_boot_is_believed(state: UpdateState, version: str | None, ends: UpdateState) -> None:
    """The former version after a claim is a lie, after a restart a fall-back, before the installation a forgotten order."""
    assert told(update(state), booted(version), generation=2)[0].state is ends


def test_a_restart_in_the_middle_of_the_installation_is_no_verdict() -> None:
    """Some boot the old version once more; after the patience for boots it has come back with it."""
    row, lines = told(update(S.INSTALLING), booted(OLD), generation=2)
    assert row.state is S.INSTALLING and lines == []
    later = elapse(row, NOW + timedelta(seconds=TERMS.boot_s), TERMS, well=True)
    assert later is not None and later.update.state is S.REVERTED
    assert told(row, booted(NEW), generation=3)[0].state is S.VERIFIED


# -- how it answers the order


def test_who_does_not_know_one_form_is_sent_the_other() -> None:
    """NotSupported to the signed form: the plain one is next, and no attempt is used up; to both: it cannot be updated so."""
    sending = update(S.SENDING, form="signed", attempt=1)
    signed = Terms(is_expected=TERMS.is_expected, can_sign=True)
    step = answered(sending, "error", "NotSupported", None, left=True, at=NOW, terms=signed)
    assert step is not None and (step.update.state, step.update.attempt) == (S.QUEUED, 0)
    assert next_form(step.update.refused_forms, can_sign=True) == "plain"
    again = update(S.SENDING, form="plain", refused_forms=("signed",))
    step = answered(again, "error", "NotImplemented", None, left=True, at=NOW, terms=signed)
    assert step is not None and step.update.state is S.SKIPPED and "cannot update its firmware by OCPP" in step.update.reason


def test_an_order_that_never_left_is_no_attempt() -> None:
    """It went offline a moment before: queued again. One that left is followed, never sent again on a guess."""
    sending = update(S.SENDING, form="plain")
    step = answered(sending, "not_connected", None, None, left=False, at=NOW, terms=TERMS)
    assert step is not None and (step.update.state, step.update.attempt) == (S.QUEUED, 0)
    step = answered(sending, "timed_out", None, None, left=True, at=NOW, terms=TERMS)
    assert step is not None and step.update.state is S.SENT


# -- failures


def test_a_download_that_fails_at_once_is_no_matter_of_the_line() -> None:
    """Within two seconds of the order: address or credentials, and not one retry is burnt; later: tried again."""
    row, lines = told(update(sent_at=NOW - timedelta(seconds=1.5)), said("DownloadFailed"))
    assert (row.state, row.code) == (S.FAILED, "address") and "after 1.5 s: the address" in lines[0][1]
    row, _ = told(update(), said("DownloadFailed"))
    assert (row.state, row.code) == (S.RETRYING, "download")
    assert row.retry_at is not None and 240 <= (row.retry_at - NOW).total_seconds() <= 360, "5 minutes and their jitter"


def test_waiting_times_grow_and_end() -> None:
    """5 min, 30 min, 2 h, 4 h, each within a fifth; the fifth failure is the last."""
    waits = []
    for attempt in range(1, 6):
        row, _ = told(update(attempt=attempt), said("DownloadFailed"))
        waits.append(None if row.retry_at is None else (row.retry_at - NOW).total_seconds() / 60)
    for wait, minutes in zip(waits, (5, 30, 120, 240), strict=False):
        assert wait is not None and 0.8 * minutes <= wait <= 1.2 * minutes
    assert waits[4] is None and row.state is S.FAILED


STATUSES = (*PROGRESS, "DownloadFailed", "InstallationFailed", "InvalidSignature", "Idle")
ANYTHING = st.one_of(st.sampled_from(STATUSES).map(said), st.sampled_from([OLD, NEW, "3.0.0", None]).map(booted))


@given(st.lists(ANYTHING, max_size=25))
def test_whatever_it_says_only_ways_of_the_table_are_gone(events: list[Event]) -> None:
    """Any statuses and boots in any order: every change is in the table, and an end is an end."""
    row = update()
    for generation, event in enumerate(events, 1):
        after, _ = told(row, event, generation=generation)
        assert after.state is row.state or may(row.state, after.state)
        assert row.state not in UPDATE_ENDS or after.state is row.state
        row = after
