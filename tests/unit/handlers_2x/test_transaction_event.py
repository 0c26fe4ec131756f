"""TransactionEvent: the life of a transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chargenet.events import (
    FrameDeviated,
    MeasurementsTaken,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.words import Protocol
from chargenet.ports import TokenAnswer
from tests.support.handling import FixedDesk, only, run

ID = "e80fb8b1-3fa4-4146-aa10-9dfbc72dfa36"
AT = datetime(2026, 3, 1, 11, 59, 58, tzinfo=UTC)


def event(kind: str, **fields: Any) -> dict[str, Any]:
    info = {"transactionId": ID, **fields.pop("info", {})}
    return {
        "eventType": kind,
        "timestamp": "2026-03-01T11:59:58Z",
        "triggerReason": "CablePluggedIn",
        "seqNo": 0,
        "transactionInfo": info,
        **fields,
    }


def sample(value: float, context: str | None = None, **fields: Any) -> dict[str, Any]:
    said = {"context": context} if context else {}
    return {"value": value, "measurand": "Energy.Active.Import.Register", **said, **fields}


def metered(*samples: dict[str, Any]) -> dict[str, Any]:
    return {"meterValue": [{"timestamp": "2026-03-01T11:59:58Z", "sampledValue": list(samples)}]}


def test_a_start_keeps_everything_it_says() -> None:
    """Token, reservation, remote start, trigger, state, sequence number and connector are on TransactionStarted."""
    payload = event(
        "Started",
        seqNo=266,
        offline=True,
        reservationId=7,
        evse={"id": 2, "connectorId": 3},
        idToken={"idToken": "04AB", "type": "ISO14443"},
        info={"remoteStartId": 12, "chargingState": "EVConnected"},
    )
    assert only(run("TransactionEvent", payload), TransactionStarted) == TransactionStarted(
        transaction_id=ID,
        connector=ConnectorRef(2, 3),
        started_at=AT,
        id_token=IdToken("04AB", "ISO14443"),
        token_status="Accepted",
        reservation_id=7,
        remote_start_id=12,
        seq_no=266,
        offline=True,
        trigger="CablePluggedIn",
        charging_state="EVConnected",
    )


def test_an_update_without_evse_names_no_connector() -> None:
    """evse may be left out of later events: the connector is not invented."""
    updated = only(run("TransactionEvent", event("Updated", info={"chargingState": "Charging"})), TransactionUpdated)
    assert (updated.connector, updated.charging_state, updated.updated_at, updated.offline) == (None, "Charging", AT, False)


def test_the_evse_is_named_once_and_holds_for_the_transaction() -> None:
    """Readings and the end of a transaction are at the connector that an earlier event named; after the end it is forgotten."""
    desk = FixedDesk()
    run("TransactionEvent", event("Started"), desk=desk)
    run("TransactionEvent", event("Updated", seqNo=1, evse={"id": 1, "connectorId": 2}), desk=desk)
    later = run("TransactionEvent", event("Updated", seqNo=2, **metered(sample(5.0))), desk=desk)
    assert only(later, MeasurementsTaken).connector == only(later, TransactionUpdated).connector == ConnectorRef(1, 2)
    vague = run("TransactionEvent", event("Updated", seqNo=3, evse={"id": 1}), desk=desk)
    assert only(vague, TransactionUpdated).connector == ConnectorRef(1, 2)
    assert only(run("TransactionEvent", event("Ended", seqNo=4), desk=desk), TransactionStopped).connector == ConnectorRef(1, 2)
    assert only(run("TransactionEvent", event("Updated", seqNo=5), desk=desk), TransactionUpdated).connector is None


def test_an_end_without_reason_is_local() -> None:
    """The standard lets stoppedReason out only when it is Local."""
    assert only(run("TransactionEvent", event("Ended")), TransactionStopped).reason == "Local"
    ended = only(run("TransactionEvent", event("Ended", info={"stoppedReason": "EVDisconnected"})), TransactionStopped)
    assert (ended.reason, ended.transaction_id, ended.raw_transaction_id) == ("EVDisconnected", ID, ID)


def test_readings_come_after_a_start_and_before_an_end() -> None:
    """Whoever follows the events in order sees a transaction's readings while it is open."""
    start = run("TransactionEvent", event("Started", **metered(sample(1.0))))
    assert [type(happened) for happened in start.events] == [TransactionStarted, MeasurementsTaken]
    end = run("TransactionEvent", event("Ended", **metered(sample(1.0))))
    assert [type(happened) for happened in end.events] == [MeasurementsTaken, TransactionStopped]


def test_readings_belong_to_the_transaction_and_its_connector() -> None:
    """MeasurementsTaken carries the charge point's transaction id and the connector of the event."""
    taken = only(run("TransactionEvent", event("Updated", evse={"id": 1}, **metered(sample(5.0)))), MeasurementsTaken)
    assert (taken.transaction_id, taken.connector, taken.measured_at) == (ID, ConnectorRef(1), AT)


@pytest.mark.parametrize(
    ("kind", "samples", "register"),
    [
        ("Started", [sample(9.0), sample(1000.4, "Transaction.Begin"), sample(2000.0)], 1000),
        ("Started", [sample(700.0), sample(800.0)], 700),
        ("Ended", [sample(9000.0, "Transaction.End"), sample(9001.0)], 9000),
        ("Ended", [sample(700.0), sample(800.0)], 800),
        ("Updated", [sample(700.0), sample(800.0)], 800),
        ("Ended", [sample(1.5, "Transaction.End", unitOfMeasure={"unit": "kWh"})], 1500),
        ("Ended", [sample(15.0, "Transaction.End", unitOfMeasure={"unit": "Wh", "multiplier": 2})], 1500),
        ("Ended", [sample(300.0, phase="L1"), sample(100.0, phase="L2")], None),
        ("Ended", [sample(300.0, phase="L1"), sample(900.0)], 900),
        ("Ended", [sample(900.0), sample(50.0, location="EV")], 900),
        ("Ended", [{"value": 3.0, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}}], None),
        ("Ended", [sample(1e300)], None),
    ],
)
def test_the_register_of_a_transaction(kind: str, samples: list[dict[str, Any]], register: int | None) -> None:
    """The overall register of the right context in Wh, else the first of a start and the last of an end; never one phase's."""
    handled = run("TransactionEvent", event(kind, **metered(*samples)))
    happened = next(one for one in handled.events if isinstance(one, TransactionStarted | TransactionUpdated | TransactionStopped))
    assert happened.energy_register_wh == register


def test_signed_values_stay_as_they_came() -> None:
    """Signed meter data is never re-written: blanks, case and padding included."""
    signed = {"signedMeterData": " T0NNRnw= ", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "AB=="}
    taken = only(
        run("TransactionEvent", event("Ended", **metered(sample(1.0, "Transaction.End", signedMeterValue=signed)))),
        MeasurementsTaken,
    )
    kept = taken.signed[0]
    assert (kept.data, kept.encoding_method, kept.public_key, kept.context) == (" T0NNRnw= ", "OCMF", "AB==", "Transaction.End")


def test_only_a_presented_token_is_answered() -> None:
    """idTokenInfo is in the reply when a token was in the call, and only then; group and expiry as the token table says."""
    expires = datetime(2026, 12, 31, 23, 0, 0, 999, tzinfo=UTC)
    desk = FixedDesk(TokenAnswer("Blocked", "FLEET", expires))
    assert run("TransactionEvent", event("Updated"), desk=desk).reply == {}
    assert desk.tokens == []
    handled = run("TransactionEvent", event("Updated", idToken={"idToken": "A", "type": "Central"}), desk=desk)
    assert handled.reply == {
        "idTokenInfo": {
            "status": "Blocked",
            "cacheExpiryDateTime": "2026-12-31T23:00:00Z",
            "groupIdToken": {"idToken": "FLEET", "type": "Central"},
        }
    }
    assert only(handled, TransactionUpdated).token_status == "Blocked"


def test_a_rejected_token_does_not_lose_the_report() -> None:
    """A transaction of an invalid token is kept like any other, with the status that was answered."""
    payload = event("Started", idToken={"idToken": "A", "type": "Central"})
    started = only(run("TransactionEvent", payload, desk=FixedDesk(TokenAnswer("Invalid"))), TransactionStarted)
    assert (started.transaction_id, started.token_status) == (ID, "Invalid")


def test_a_start_button_needs_no_token() -> None:
    """NoAuthorization is accepted without asking the token table."""
    desk = FixedDesk(TokenAnswer("Blocked"))
    handled = run("TransactionEvent", event("Started", idToken={"idToken": "", "type": "NoAuthorization"}), desk=desk)
    assert handled.reply == {"idTokenInfo": {"status": "Accepted"}}
    assert desk.tokens == []


@pytest.mark.parametrize(("protocol", "answered"), [(Protocol.OCPP201, False), (Protocol.OCPP21, True)])
def test_a_group_longer_than_the_version_allows_is_left_out(protocol: Protocol, answered: bool) -> None:
    """2.0.1 has 36 characters for a token, 2.1 has 255: a reply never breaks its schema."""
    desk = FixedDesk(TokenAnswer("Accepted", "G" * 37))
    payload = event("Started", idToken={"idToken": "A", "type": "Central"})
    assert ("groupIdToken" in run("TransactionEvent", payload, protocol=protocol, desk=desk).reply["idTokenInfo"]) is answered


def test_a_repeated_event_is_answered_and_not_counted_again() -> None:
    """The desk is asked by transaction id and sequence number; what it knows already is answered and tells nothing."""
    desk = FixedDesk(duplicate_of=41)
    payload = event("Ended", seqNo=9, idToken={"idToken": "A", "type": "Central"}, **metered(sample(1.0)))
    handled = run("TransactionEvent", payload, desk=desk)
    assert handled.events == ()
    assert handled.reply == {"idTokenInfo": {"status": "Accepted"}}
    assert desk.asked_events == [("CP-1", ID, 9, "Ended")]


def test_without_transaction_id_readings_are_kept() -> None:
    """An event that names no transaction changes none; its readings are used and the fault is flagged."""
    payload = event("Updated", **metered(sample(5.0)))
    del payload["transactionInfo"]
    handled = run("TransactionEvent", payload, repaired=True)
    assert only(handled, MeasurementsTaken).transaction_id is None
    assert [type(one) for one in handled.events] == [MeasurementsTaken, FrameDeviated]
    assert handled.reply == {}


def test_an_end_without_transaction_id_is_still_an_end() -> None:
    """It goes to whoever can match it by other evidence."""
    payload = event("Ended", evse={"id": 1}, info={"transactionId": " "})
    ended = only(run("TransactionEvent", payload, repaired=True), TransactionStopped)
    assert (ended.transaction_id, ended.raw_transaction_id, ended.connector) == (None, " ", ConnectorRef(1))


def test_an_unknown_event_type_is_an_update() -> None:
    """What a transaction said is kept even where it is not known what kind of event it was."""
    handled = run("TransactionEvent", event("Paused"), repaired=True)
    assert only(handled, TransactionUpdated).transaction_id == ID
    assert "eventType" in only(handled, FrameDeviated).detail
