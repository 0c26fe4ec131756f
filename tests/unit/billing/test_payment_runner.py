"""Stories of payments against the gateway in memory: holds, captures, charges, refunds, reminders, and a person at the end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from billing_reports.payments.facts import Chargeable, Owed
from billing_reports.payments.machine import paid_back, retried
from billing_reports.payments.payment import PaymentKind, PaymentState
from billing_reports.payments.port import Decline
from chargenet.errors import Conflict
from tests.support.payments import DAY_S, NOW, World, charge, method, payment

S = PaymentState
WAITS = Owed(waiting_for="no session was started")


async def held() -> World:
    """A hold of 50 EUR on a card."""
    world = World()
    await world.begins(payment(method="pm_card"), WAITS)
    await world.tick()
    assert (await world.now("hold-1")).state is S.HELD
    return world


async def charged(gateway_method: str = "pm_card") -> World:
    """A statement of 20 EUR that was charged once."""
    world = World()
    await world.begins(charge(due=2000), Owed(due=2000, used=True, method=method(gateway_method)))
    await world.tick()
    return world


async def test_a_hold_is_captured_by_what_the_cdr_comes_to() -> None:
    """Held, then 12.34 of it charged when the CDR is there; the rest is released by the gateway."""
    world = await held()
    world.owes("hold-1", None)
    await world.tick(1800)
    assert world.memory.charged == 0
    world.owes("hold-1", 1234)
    await world.tick(300)
    done = await world.now("hold-1")
    assert (done.state, done.captured, done.receivable) == (S.PAID, 1234, 0)
    assert [each.what for each in world.memory.moved] == ["held", "charged"]
    assert world.notices.told == []


async def test_never_more_than_the_hold_is_captured() -> None:
    """The rest is a receivable, and a person hears of it once."""
    world = await held()
    world.owes("hold-1", 6100)
    await world.tick(300)
    await world.tick(300)
    done = await world.now("hold-1")
    assert (done.state, done.captured, done.receivable) == (S.PAID, 5000, 1100)
    assert world.notices.kinds() == ["PaymentShort"]
    assert "11.00 EUR" in world.notices.told[0].title


@pytest.mark.parametrize("due", [0, 49])
async def test_a_session_that_costs_nothing_releases_the_hold(due: int) -> None:
    """Nothing, or less than is worth charging: nothing is charged."""
    world = await held()
    world.owes("hold-1", due)
    await world.tick(300)
    assert (await world.now("hold-1")).state is S.CANCELLED
    assert [each.what for each in world.memory.moved] == ["held", "released"]


async def test_a_hold_that_nobody_uses_is_released() -> None:
    """An hour without a session."""
    world = await held()
    await world.tick(3000)
    assert (await world.now("hold-1")).state is S.HELD
    await world.tick(900)
    assert (await world.now("hold-1")).state is S.CANCELLED


async def test_a_session_after_its_hold_was_released_is_a_receivable() -> None:
    """The driver came late: what it costs is not forgotten."""
    world = await held()
    await world.tick(3900)
    world.owes("hold-1", 1500)
    world.books.tokens.append("t1")
    await world.tick(60)
    done = await world.now("hold-1")
    assert (done.state, done.receivable) == (S.CANCELLED, 1500)
    assert world.notices.kinds() == ["PaymentShort"]


async def test_a_driver_confirms_in_the_browser() -> None:
    """The hold waits for the driver, and is found held when it is looked at."""
    world = World()
    await world.begins(payment(), WAITS)
    await world.tick()
    opened = await world.now("hold-1")
    assert (opened.state, opened.gateway_id) == (S.OPENED, "pi_1")
    world.memory.driver_confirms("pi_1")
    await world.tick(120)
    assert (await world.now("hold-1")).state is S.HELD


async def test_a_driver_who_never_confirms_frees_the_payment() -> None:
    """Half an hour, then it is cancelled; nothing was held."""
    world = World()
    await world.begins(payment(), WAITS)
    await world.tick()
    for _ in range(16):
        await world.tick(120)
    assert (await world.now("hold-1")).state is S.CANCELLED
    assert world.memory.moved == []


async def test_a_session_that_cannot_be_priced_in_time_is_told_before_the_hold_ends() -> None:
    """Six days after the hold a person hears of it; the seventh day the bank would let it go."""
    world = await held()
    world.books.known["hold-1"] = Owed(used=True, waiting_for="the session cannot be priced; see the billing issues")
    await world.tick(5.9 * DAY_S)
    assert world.notices.told == []
    await world.tick(0.2 * DAY_S)
    assert world.notices.kinds() == ["PaymentStuck"]
    assert "cannot be priced" in world.notices.told[0].text
    world.owes("hold-1", 800)
    await world.tick(1800)  # it has its price now, and goes on by itself
    assert (await world.now("hold-1")).captured == 800
    assert world.notices.kinds() == ["PaymentStuck", "-PaymentStuck"]


async def test_a_hold_that_the_bank_let_go_is_not_captured() -> None:
    """The gateway refuses the capture; that it was cancelled is the reason, and all of it is a receivable."""
    world = await held()
    world.memory.expires("pi_1")
    world.owes("hold-1", 1234)
    await world.tick(300)
    done = await world.now("hold-1")
    assert (done.state, done.receivable, done.stuck) == (S.CANCELLED, 1234, "")


async def test_a_corrected_cdr_pays_the_difference_back() -> None:
    """Captured 12.34, corrected to 10.00: 2.34 go back; corrected upwards: the rest is a receivable."""
    world = await held()
    world.owes("hold-1", 1234)
    await world.tick(300)
    for due, refunded, short in ((1000, 234, 0), (1100, 234, 100), (0, 1234, 0)):
        world.owes("hold-1", due)
        world.books.tokens.append("t1")
        await world.tick(60)
        done = await world.now("hold-1")
        assert (done.refunded, done.receivable) == (refunded, short), due
    assert done.state is S.REFUNDED


async def test_a_final_statement_is_charged_once() -> None:
    """To the saved method; looked at again, nothing more happens."""
    world = World()
    what = Chargeable(
        statement_id="s1", number="ST-000001", customer_id="anna", currency="EUR", payable=2000, gateway_customer="cus_1"
    )
    world.books.statements = [what]
    world.books.known["charge-s1"] = Owed(due=2000, used=True, method=method())
    for _ in range(3):
        await world.tick(3600)
    done = await world.now("charge-s1")
    assert (done.kind, done.state, done.captured, done.description) == (PaymentKind.CHARGE, S.PAID, 2000, "Statement ST-000001")
    assert world.memory.charged == 2000
    assert [entry.what for entry in await world.store.history("charge-s1")] == [
        "made", "asks to open", "open: opened", "asks to confirm", "confirm: paid",
    ]  # fmt: skip


async def test_a_declined_statement_is_dunned_then_handed_over() -> None:
    """Tried again on days 3, 7 and 14, each time with a reminder; then a person has it, and nothing more is tried."""
    world = await charged("pm_declined")
    tried = [(0, 1)]
    for day in range(1, 40):
        await world.tick(DAY_S)
        declines = (await world.now("charge-s1")).declines
        if declines != tried[-1][1]:
            tried.append((day, declines))
    assert tried == [(0, 1), (3, 2), (7, 3), (14, 4)]
    assert world.notices.kinds() == ["PaymentDeclined"] * 3 + ["PaymentStuck"]
    assert "declined 4 times" in (await world.now("charge-s1")).stuck
    assert world.memory.charged == 0
    assert (await world.now("charge-s1")).receivable == 2000


async def test_another_method_is_used_by_the_next_try() -> None:
    """A customer who saves a new card before day 3 pays on day 3; a person may try at once."""
    world = await charged("pm_declined")
    world.books.known["charge-s1"] = Owed(due=2000, used=True, method=method("pm_card"))
    await world.tick(2 * DAY_S)
    assert (await world.now("charge-s1")).state is S.DECLINED
    await world.runner.change(await world.now("charge-s1"), retried, "retry")
    await world.tick()
    assert (await world.now("charge-s1")).state is S.PAID


async def test_a_stolen_card_is_not_tried_again() -> None:
    """The bank's final word goes to a person at once."""
    world = await charged("pm_stolen")
    done = await world.now("charge-s1")
    assert (done.state, done.declines) == (S.DECLINED, 1)
    assert done.stuck.startswith("declined once")


async def test_a_payer_who_is_not_there_cannot_confirm() -> None:
    """3-D Secure in the payer's absence: a person must ask for another method; it is not asked again and again."""
    world = await charged("pm_action")
    done = await world.now("charge-s1")
    assert "must confirm" in done.stuck
    assert len(world.memory.sent) == 2


async def test_a_direct_debit_that_comes_back_is_dunned() -> None:
    """Days later the bank says no: that counts as the first decline."""
    world = await charged("pm_slow")
    assert (await world.now("charge-s1")).state is S.PROCESSING
    world.memory.clears("pi_1", Decline("insufficient_funds", "there is not enough money"))
    await world.tick(DAY_S)
    done = await world.now("charge-s1")
    assert (done.state, done.declines, done.first_declined_at) == (S.DECLINED, 1, NOW + timedelta(days=1))
    world.books.known["charge-s1"] = Owed(due=2000, used=True, method=method("pm_card"))
    await world.tick(3 * DAY_S)
    assert (await world.now("charge-s1")).state is S.PAID


async def test_a_credit_note_pays_back() -> None:
    """What was charged goes back once; before it is charged, it is not charged at all."""
    world = await charged()
    world.owes("charge-s1", 0)
    world.books.notes.append((world.clock.now(), "s1-CN", "s1"))
    for _ in range(3):
        await world.tick(3600)
    done = await world.now("charge-s1")
    assert (done.state, done.refunded) == (S.REFUNDED, 2000)
    assert [each.what for each in world.memory.moved] == ["charged", "refunded"]
    early = await charged("pm_declined")
    early.owes("charge-s1", 0)
    early.books.notes.append((early.clock.now(), "s1-CN", "s1"))
    await early.tick(3600)
    assert (await early.now("charge-s1")).state is S.CANCELLED


async def test_people_pay_back_out_of_courtesy() -> None:
    """5 of 20, then 15: what is left decides; more is refused, and nothing is owed afterwards."""
    world = await charged()
    for amount in (500, 1500):
        await world.runner.change(await world.now("charge-s1"), lambda each, now, part=amount: paid_back(each, part, now), "why")  # type: ignore[misc]
        await world.tick()
    done = await world.now("charge-s1")
    assert (done.state, done.refunded, done.receivable) == (S.REFUNDED, 2000, 0)
    with pytest.raises(ValueError, match="is refunded"):
        paid_back(done, 1, NOW)
    with pytest.raises(ValueError, match=r"20\.00 EUR"):
        paid_back(await (await charged()).now("charge-s1"), 2001, NOW)


async def test_a_silent_gateway_is_asked_again_with_the_same_key() -> None:
    """Backing off; the key is the one that was stored, so it is done once."""
    world = World()
    world.memory.fail_next.extend(["before", "after", "before"])
    await world.begins(payment(method="pm_card"), WAITS)
    for _ in range(6):
        await world.tick(60)
    assert (await world.now("hold-1")).state is S.HELD
    assert [each.what for each in world.memory.moved] == ["held"]
    assert world.memory.sent == ["cw-n1-1-open", "cw-n1-1-open", "cw-n1-2-confirm"]


async def test_a_key_that_the_gateway_has_forgotten_charges_nobody_twice() -> None:
    """The answer to the charge was lost, and the platform stood still for a week: the gateway is asked what it did first."""
    world = World()
    await world.begins(charge(due=2000), Owed(due=2000, used=True, method=None))
    await world.tick()  # opened, and stuck for want of a method
    world.books.known["charge-s1"] = Owed(due=2000, used=True, method=method())
    await world.runner.change(await world.now("charge-s1"), retried, "retry")
    world.memory.fail_next.append("after")
    await world.tick()
    assert (world.memory.charged, (await world.now("charge-s1")).state) == (2000, S.OPENED)
    world.memory.forget_keys()
    world.born()
    await world.tick(7 * DAY_S)
    assert (await world.now("charge-s1")).state is S.PAID
    assert world.memory.charged == 2000


async def test_a_refund_of_unknown_fate_is_left_to_a_person() -> None:
    """A gateway pays back as often as it is asked: without its key, nobody asks again by itself."""
    world = await charged()
    world.owes("charge-s1", 0)
    world.memory.fail_next.append("before")
    world.books.notes.append((world.clock.now(), "s1-CN", "s1"))
    await world.tick(3600)
    await world.tick(7 * DAY_S)
    done = await world.now("charge-s1")
    assert (done.refunded, done.stuck.startswith("whether it was paid back")) == (0, True)
    await world.runner.change(done, retried, "retry")
    await world.tick()
    assert (await world.now("charge-s1")).refunded == 2000


async def test_whoever_asks_waits_for_who_is_at_it() -> None:
    """A person's step and the program's round do not run over each other: the answer is of the payment as it is afterwards."""
    world = World()
    await world.begins(payment(method="pm_card"), WAITS)
    round_, asked = await asyncio.gather(world.runner.work(), world.runner.advance("hold-1"))
    assert (round_, asked.state) == (None, S.HELD)
    assert len(world.memory.sent) == 2


async def test_two_holds_of_one_token_are_refused() -> None:
    """Nobody could tell which one a session belongs to."""
    world = await held()
    with pytest.raises(Conflict):
        await world.store.add(payment(payment_id="hold-2"))


async def test_another_currency_is_left_to_a_person() -> None:
    """There is no rate here."""
    world = await held()
    world.books.known["hold-1"] = Owed(used=True, foreign=True)
    await world.tick(300)
    assert "currency" in (await world.now("hold-1")).stuck
