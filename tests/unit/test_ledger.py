"""The ledger: ids, repeats and matches at answer time."""

from __future__ import annotations

import pytest

from chargenet.errors import Conflict
from chargenet.model.ids import ConnectorRef, IdToken
from collector.context import Matched
from collector.ledger import EVENTS, FINISHED, HIGHEST_ID, RECENT, Ledger
from tests.support.facts import fact
from tests.support.transactions import Story, started, stopped, updated

PLUG, TOKEN = ConnectorRef(1), IdToken("AbC")
T1, T2, T3 = "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z"
NEVER = "1970-01-01T00:00:07Z"


def begun(ledger: Ledger, sequence: int, at: str = T1, wh: int = 1000, *, plug: ConnectorRef = PLUG, token: IdToken = TOKEN) -> int:
    """A start that was appended; its id."""
    matched = ledger.start("CP1", plug, token, at, wh)
    ledger.bind(sequence)
    assert matched.transaction_id is not None
    return matched.transaction_id


def test_a_start_gets_a_new_id_above_the_floor() -> None:
    """Ids rise over all charge points."""
    ledger = Ledger(41)
    assert ledger.start("CP1", PLUG, TOKEN, T1, 0) == Matched(42)
    ledger.bind(1)
    assert ledger.start("CP2", PLUG, TOKEN, T1, 0) == Matched(43)
    ledger.raise_floor(100)
    assert ledger.start("CP3", PLUG, TOKEN, T1, 0) == Matched(101)
    assert ledger.last_transaction_id == 101


def test_a_repeated_start_gets_the_first_id() -> None:
    """Also spelled otherwise: another case of the token, another spelling of the same instant."""
    ledger = Ledger()
    first = begun(ledger, 7)
    assert ledger.start("CP1", PLUG, IdToken("aBc"), "2026-03-01T12:00:00.000+02:00", 1000) == Matched(first, 7)
    ledger.bind(8)
    assert ledger.start("CP1", PLUG, TOKEN, T1, 1000) == Matched(first, 7), "a repeat is not bound"


@pytest.mark.parametrize(
    ("plug", "token", "at", "wh"),
    [(ConnectorRef(2), TOKEN, T1, 1000), (PLUG, IdToken("x"), T1, 1000), (PLUG, TOKEN, T2, 1000), (PLUG, TOKEN, T1, 1001)],
)
def test_other_content_is_another_transaction(plug: ConnectorRef, token: IdToken, at: str, wh: int) -> None:
    """Connector, token, instant and register all count."""
    ledger = Ledger()
    first = begun(ledger, 7)
    assert ledger.start("CP1", plug, token, at, wh) == Matched(first + 1)


def test_the_same_content_at_another_charge_point_is_another_transaction() -> None:
    """Books are per charge point."""
    ledger = Ledger()
    first = begun(ledger, 7)
    assert ledger.start("CP2", PLUG, TOKEN, T1, 1000) == Matched(first + 1)


def test_with_a_clock_never_set_only_a_running_start_is_repeated() -> None:
    """At 1970 with a register from 0 all sessions look alike."""
    ledger = Ledger()
    first = begun(ledger, 1, NEVER, 0)
    assert ledger.start("CP1", PLUG, TOKEN, NEVER, 0) == Matched(first, 1)
    ledger.stop("CP1", first, None, NEVER, 10)
    ledger.bind(2)
    assert ledger.start("CP1", PLUG, TOKEN, NEVER, 0) == Matched(first + 1)


def test_a_start_that_could_not_be_appended_is_forgotten_and_its_id_not_reused() -> None:
    """void(): nobody was answered."""
    ledger = Ledger()
    ledger.start("CP1", PLUG, TOKEN, T1, 1000)
    ledger.void()
    ledger.bind(9)
    assert ledger.start("CP1", PLUG, TOKEN, T1, 1000) == Matched(2)


def test_records_that_were_lost_before_they_were_durable_are_taken_back() -> None:
    """A repeat of a start, stop or event that never reached the disk is news."""
    ledger = Ledger()
    kept = begun(ledger, 5)
    ledger.stop("CP1", kept, TOKEN, T2, 2000)
    ledger.bind(6)
    begun(ledger, 7, T2)
    ledger.stop("CP1", -1, IdToken("nobody"), T2, 2000)
    ledger.bind(8)
    ledger.event("CP1", "t", 0, "Started")
    ledger.bind(9)
    ledger.forget_after(5)
    assert ledger.start("CP1", PLUG, TOKEN, T1, 1000) == Matched(kept, 5)
    assert ledger.stop("CP1", kept, TOKEN, T2, 2000) == Matched(kept, connector=PLUG)
    assert ledger.start("CP1", PLUG, TOKEN, T2, 1000).duplicate_of is None
    assert ledger.stop("CP1", -1, IdToken("nobody"), T2, 2000) == Matched(None)
    assert ledger.event("CP1", "t", 0, "Started") == Matched()


def test_a_stop_names_its_transaction() -> None:
    """And the connector it runs on; its repetition with the same content gives the first answer."""
    ledger = Ledger()
    first = begun(ledger, 1)
    assert ledger.stop("CP1", first, None, T2, 2000) == Matched(first, connector=PLUG)
    ledger.bind(2)
    assert ledger.stop("CP1", first, None, T2, 2000) == Matched(first, 2)


def test_a_second_stop_with_other_content_is_news() -> None:
    """The projection records it as a repeat; here nothing is swallowed."""
    ledger = Ledger()
    first = begun(ledger, 1)
    ledger.stop("CP1", first, None, T2, 2000)
    ledger.bind(2)
    assert ledger.stop("CP1", first, None, T3, 2000) == Matched(first, connector=PLUG)
    ledger.bind(3)
    assert ledger.stop("CP1", first, None, T2, 2000) == Matched(first, 2), "the first is still known"


@pytest.mark.parametrize("said", [-1, 0, None, 999])
def test_a_stop_without_a_usable_id_finds_the_one_that_fits(said: int | None) -> None:
    """By token, time and register; and its repetition finds the same."""
    ledger = Ledger()
    begun(ledger, 1, T1, 1000, token=IdToken("other"))
    mine = begun(ledger, 2, T1, 5000, plug=ConnectorRef(2))
    assert ledger.stop("CP1", said, TOKEN, T2, 6000) == Matched(mine, connector=ConnectorRef(2))
    ledger.bind(3)
    assert ledger.stop("CP1", said, TOKEN, T2, 6000) == Matched(mine, 3)


def test_an_id_that_was_given_long_ago_is_not_matched_to_another_transaction() -> None:
    """It is in the store, not in memory any more: a guess would close the session that runs now."""
    ledger = Ledger(500)
    begun(ledger, 1)
    assert ledger.stop("CP1", 77, TOKEN, T2, 6000) == Matched(None)


@pytest.mark.parametrize(("at", "wh"), [("2026-03-01T09:00:00Z", 6000), (T2, 400)])
def test_a_stop_that_fits_nothing_has_no_id(at: str, wh: int) -> None:
    """Before the start, or below its register; its repetition is still recognised."""
    ledger = Ledger()
    begun(ledger, 1)
    assert ledger.stop("CP1", -1, TOKEN, at, wh) == Matched(None)
    ledger.bind(2)
    assert ledger.stop("CP1", -1, TOKEN, at, wh) == Matched(None, 2)


def test_a_stop_of_an_unknown_charge_point_has_no_id() -> None:
    """And is remembered."""
    ledger = Ledger()
    assert ledger.stop("CP1", -1, TOKEN, T1, 1) == Matched(None)
    ledger.bind(1)
    assert ledger.stop("CP1", -1, TOKEN, T1, 1) == Matched(None, 1)


def test_a_stop_without_id_and_clock_is_never_taken_for_a_repeat() -> None:
    """Two sessions at 1970 may end alike."""
    ledger = Ledger()
    ledger.stop("CP1", -1, TOKEN, NEVER, 10)
    ledger.bind(1)
    assert ledger.stop("CP1", -1, TOKEN, NEVER, 10) == Matched(None)


def test_an_event_is_known_by_transaction_number_and_type() -> None:
    """Charge points that number everything 0 lose nothing between Started, Updated and Ended."""
    ledger = Ledger()
    for sequence, kind in enumerate(["Started", "Updated", "Ended"], 1):
        assert ledger.event("CP1", "t", 0, kind) == Matched()
        ledger.bind(sequence)
    assert [ledger.event("CP1", "t", 0, kind).duplicate_of for kind in ("Started", "Updated", "Ended")] == [1, 2, 3]
    assert ledger.event("CP1", "t", 1, "Updated") == Matched()
    assert ledger.event("CP1", "u", 0, "Started") == Matched()
    assert ledger.event("CP2", "t", 0, "Started") == Matched()


def test_memory_is_bounded() -> None:
    """Per charge point: newest starts (open ones stay longest), newest events, newest finished transactions."""
    ledger = Ledger()
    open_one = begun(ledger, 1, T1, 0)
    for number in range(RECENT + 10):
        started_id = begun(ledger, 10 + number, T2, number + 1)
        ledger.stop("CP1", started_id, None, T3, 10_000)
        ledger.bind(10_000 + number)
    assert ledger.start("CP1", PLUG, TOKEN, T1, 0) == Matched(open_one, 1)
    assert ledger.start("CP1", PLUG, TOKEN, T2, 1).duplicate_of is None, "the oldest stopped one was forgotten"
    for number in range(EVENTS + 5):
        ledger.event("CP1", "long", number, "Updated")
        ledger.bind(20_000 + number)
    assert ledger.event("CP1", "long", 0, "Updated") == Matched()
    assert ledger.event("CP1", "long", EVENTS, "Updated").duplicate_of == 20_000 + EVENTS
    for number in range(FINISHED + 1):
        ledger.event("CP1", f"t{number}", 0, "Ended")
        ledger.bind(30_000 + number)
    assert ledger.event("CP1", "t0", 0, "Ended") == Matched()
    assert ledger.event("CP1", "t1", 0, "Ended").duplicate_of == 30_001


async def test_a_restarted_ledger_gives_the_same_answers() -> None:
    """Restored from the store's recent transactions and the journal's tail."""
    story = Story()
    await story.tell(started("1", 0, 1000), received=0)
    await story.tell(started("2", 60, 9000, plug=2, token="BB"), received=60)
    await story.tell(stopped("2", 120, 9900), received=120)
    ledger = Ledger()
    ledger.restore(await story.stores.transactions.recent(64))
    ledger.apply(fact(3, stopped("2", 120, 9900)))
    ledger.apply(fact(4, started("3", 200, 5, plug=3)))
    ledger.apply(fact(5, stopped(None, 210, 4, token="ZZ")))
    assert ledger.start("CP1", ConnectorRef(1), IdToken("aa"), "2026-03-01T00:00:00Z", 1000) == Matched(1, 1)
    assert ledger.stop("CP1", 2, None, "2026-03-01T00:02:00Z", 9900) == Matched(2, 3)
    assert ledger.start("CP1", ConnectorRef(3), IdToken("AA"), "2026-03-01T00:03:20Z", 5) == Matched(3, 4)
    assert ledger.stop("CP1", -1, IdToken("ZZ"), "2026-03-01T00:03:30Z", 4) == Matched(None, 5)
    assert ledger.start("CP1", ConnectorRef(3), IdToken("AA"), "2026-03-01T01:00:00Z", 5) == Matched(4)


def test_events_of_the_tail_are_known_again() -> None:
    """OCPP 2.x repeats come right after a restart."""
    ledger = Ledger()
    for sequence, event in enumerate([started("t", 0, seq_no=0), updated("t", 1, 1), stopped("t", 2, seq_no=2)], 1):
        tail = fact(sequence, event)
        ledger.apply(type(tail)(tail.sequence, tail.received_at, "CP1", 1, "ocpp2.1", "TransactionEvent", tail.events))
    assert ledger.event("CP1", "t", 1, "Updated").duplicate_of == 2
    assert ledger.event("CP1", "t", 2, "Ended").duplicate_of == 3


def test_ids_end_where_ocpp_16_ends() -> None:
    """Never above int32, never from the start again."""
    ledger = Ledger(HIGHEST_ID - 1)
    assert ledger.start("CP1", PLUG, TOKEN, T1, 0) == Matched(HIGHEST_ID)
    ledger.bind(1)
    with pytest.raises(Conflict):
        ledger.start("CP1", PLUG, TOKEN, T2, 0)
