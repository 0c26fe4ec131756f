"""Signed meter values: kept to the byte, verified where a key is known (OCMF), never an error for what a charge point sent."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from billing_reports.assemble import Assembled, assemble
from billing_reports.evidence import Signed
from billing_reports.meter_keys import KeyScope, MeterKey, MeterKeys, normalised
from billing_reports.signed import (
    BY_SENT,
    INVALID,
    MISMATCH,
    MOST,
    OTHER_METER,
    REGISTERED,
    SENT,
    UNVERIFIED,
    VALID,
    energy_wh,
    serials_of,
    verified,
    verified_again,
    verify,
)
from chargenet.model.measurement import SignedMeterValue
from tests.support.billing_story import told

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo).hex()


def ocmf(kwh: str, reason: str, *, tampered: bool = False) -> str:
    """A signed register as a meter sends it."""
    reading = {
        "TM": "2026-03-01T10:00:00,000+0100 S", "TX": reason, "RV": Decimal(kwh), "RI": "1-b:1.8.0", "RU": "kWh", "ST": "G",
    }  # fmt: skip
    payload = json.dumps(
        {"FV": "1.0", "GI": "G", "GS": "1", "PG": "T1", "MS": "M1", "IS": True, "IL": "VERIFIED", "IF": [], "IT": "ISO14443",
         "ID": "04A2B3C4", "RD": [reading]},
        default=float,
    )  # fmt: skip
    signature = KEY.sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex()
    if tampered:
        payload = payload.replace("VERIFIED", "TRUSTED_")
        payload = payload.replace("TRUSTED_", "VERIFIED").replace('"GS": "1"', '"GS": "2"')
    return f"OCMF|{payload}|{json.dumps({'SA': 'ECDSA-secp256r1-SHA256', 'SD': signature})}"


def test_a_good_signature_is_valid() -> None:
    """With the key that came with it, or with the one that is known for the meter; the data is kept to the byte."""
    data = ocmf("12.345", "B")
    own = verify(SignedMeterValue(data, "OCMF", None, PUBLIC, "Transaction.Begin"), sequence=7)
    assert (own.verdict, own.payload, own.public_key, own.sequence) == (VALID, data, PUBLIC, 7)
    known = verify(SignedMeterValue(data, "OCMF"), PUBLIC)
    assert (known.verdict, known.reason, known.key_source) == (VALID, "verified with the registered key", "registered")
    assert (own.key_source, own.reason) == ("sent", BY_SENT)
    assert energy_wh(own) == Decimal(12345)


def test_a_changed_value_is_invalid() -> None:
    """One character of the payload changed."""
    found = verify(SignedMeterValue(ocmf("12.345", "B", tampered=True), "OCMF", None, PUBLIC))
    assert found.verdict == INVALID


def test_a_json_wrapper_is_opened() -> None:
    """OCPP 1.6 charge points put data and key into JSON; what is kept is the wrapper as it came."""
    text = json.dumps({"signedMeterData": ocmf("1", "E"), "publicKey": PUBLIC, "encodingMethod": "OCMF"})
    found = verify(SignedMeterValue(text, "OCMF"))
    assert (found.verdict, found.encoding, found.payload) == (VALID, "OCMF", text)


@pytest.mark.parametrize(
    ("data", "encoding", "why"),
    [
        ("OCMF|{}|{}", "OCMF", "cannot be verified: "),
        ("OCMF|", None, "cannot be verified: "),
        ("{broken", "OCMF", "cannot be verified: "),
        ("AP;0;3;ABCD", "ALFEN", "ALFEN is kept as it came"),
        ("", None, "this encoding is kept as it came"),
    ],
)
def test_what_cannot_be_verified_says_why(data: str, encoding: str | None, why: str) -> None:
    """Unverified, with a sentence; never an error."""
    found = verify(SignedMeterValue(data, encoding), PUBLIC)
    assert found.verdict == UNVERIFIED and (found.reason or "").startswith(why)
    assert energy_wh(found) is None


def test_without_a_key_nothing_is_proved() -> None:
    """Unverified is not valid."""
    assert verify(SignedMeterValue(ocmf("1", "B"), "OCMF")).reason == "no public key of this meter is known"


def test_begin_and_end_are_kept_of_many() -> None:
    """A charge point that signs every sample: the first and the last stay."""
    many = [Signed(number, SignedMeterValue(f"AP;{number}", "ALFEN")) for number in range(1000)]
    kept = verified(many)
    assert len(kept) == MOST and (kept[0].sequence, kept[-1].sequence) == (0, 999)


async def test_a_cdr_says_when_signed_values_disagree() -> None:
    """The signed registers prove 10 kWh, the stop register says 4: the CDR carries the doubt."""
    reports = [
        {"is": "start", "at": 0, "wh": 1000},
        {"is": "signed", "at": 1, "data": ocmf("1", "B"), "key": PUBLIC, "context": "Transaction.Begin"},
        {"is": "signed", "at": 1799, "data": ocmf("11", "E"), "key": PUBLIC, "context": "Transaction.End"},
        {"is": "stop", "at": 1800, "wh": 5000},
    ]
    found = assemble(*await told(reports), "UTC")
    assert isinstance(found, Assembled)
    assert [each.verdict for each in found.signed] == [VALID, VALID]
    assert "signed_disagrees" in found.flags


def _other_key(curve: ec.EllipticCurve) -> str:
    public = ec.generate_private_key(curve).public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo).hex()


def test_a_registered_key_that_does_not_match_is_a_mismatch() -> None:
    """Another key, also of another curve; said so when the key that came along does match: it is another meter."""
    data = ocmf("12.345", "B")
    for other in (_other_key(ec.SECP256R1()), _other_key(ec.SECP384R1())):
        alone = verify(SignedMeterValue(data, "OCMF"), other)
        assert (alone.verdict, alone.key_source, alone.reason) == (INVALID, REGISTERED, MISMATCH)
        along = verify(SignedMeterValue(data, "OCMF", None, PUBLIC), other)
        assert (along.verdict, along.reason, along.public_key, along.sent_key) == (INVALID, OTHER_METER, other, PUBLIC)
    changed = verify(SignedMeterValue(ocmf("1", "B", tampered=True), "OCMF", None, PUBLIC), PUBLIC)
    assert (changed.verdict, changed.reason) == (INVALID, MISMATCH)


def test_serial_numbers_are_read_from_the_value() -> None:
    """Meter, then gateway; none of a value that cannot be read."""
    assert serials_of(SignedMeterValue(ocmf("1", "B"), "OCMF")) == ("M1", "1")
    for text in ("OCMF|{", "OCMF", "", "{", 'OCMF|{"MS": 7}|{}'):
        assert serials_of(SignedMeterValue(text)) == ()


def test_the_nearest_registered_key_holds() -> None:
    """Connector before charge point before serial number; a key that begins later does not judge what was before."""
    at = datetime(2026, 3, 1, tzinfo=UTC)

    def key(scope: KeyScope, place: str, name: str, valid_from: datetime | None = None) -> MeterKey:
        return MeterKey(scope=scope, place=place, public_key=name, valid_from=valid_from, added_at=at)

    made = [
        key(KeyScope.SERIAL, "M1", "serial"), key(KeyScope.CHARGE_POINT, "CP-1", "point"),
        key(KeyScope.CONNECTOR, "CP-1/2", "connector"), key(KeyScope.CONNECTOR, "CP-1/2", "exchanged", at),
    ]  # fmt: skip
    keys = MeterKeys(made)
    before = at - timedelta(hours=1)
    assert keys.at("CP-1", "2", before)(["M1"]) == "connector"
    assert keys.at("CP-1", "2", at)(["M1"]) == "exchanged"
    assert keys.at("CP-1", "1", at)(["M1"]) == "point"
    assert keys.at("CP-2", "1", at)(["M1"]) == "serial"
    assert keys.at("CP-2", None, at, meter_id="M1")([]) == "serial"
    assert keys.at("CP-2", "1", at)(["M2"]) is None
    assert len({each.key_id for each in made}) == 4


def test_keys_are_entered_as_pem_hex_or_base64() -> None:
    """All three are the same key; anything else is refused with a sentence."""
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    forms = (pem, PUBLIC, PUBLIC.upper(), base64.b64encode(bytes.fromhex(PUBLIC)).decode(), f" {PUBLIC}\n")
    assert {normalised(each) for each in forms} == {PUBLIC}
    private = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for bad in ("", "hello", "3059", private, "A" * 5000):
        with pytest.raises(ValueError, match=r"public key|PUBLIC KEY"):
            normalised(bad)


async def test_a_transaction_is_judged_by_the_registered_key() -> None:
    """Its verdicts and flags; judged again by the keys of later, the values themselves stay."""
    reports = [
        {"is": "start", "at": 0, "wh": 1000},
        {"is": "signed", "at": 1, "data": ocmf("1", "B"), "key": PUBLIC, "context": "Transaction.Begin"},
        {"is": "signed", "at": 1799, "data": ocmf("11", "E"), "key": PUBLIC, "context": "Transaction.End"},
        {"is": "stop", "at": 1800, "wh": 11_000},
    ]
    row, evidence = await told(reports)
    bare = assemble(row, evidence, "UTC")
    good = assemble(row, evidence, "UTC", keys=lambda serials: PUBLIC if "M1" in serials else None)
    bad = assemble(row, evidence, "UTC", keys=lambda _: _other_key(ec.SECP256R1()))
    assert isinstance(bare, Assembled) and isinstance(good, Assembled) and isinstance(bad, Assembled)
    assert [(each.verdict, each.key_source) for each in bare.signed] == [(VALID, SENT)] * 2
    assert [(each.verdict, each.key_source) for each in good.signed] == [(VALID, REGISTERED)] * 2
    assert [(each.verdict, each.reason) for each in bad.signed] == [(INVALID, OTHER_METER)] * 2
    assert "meter_key_mismatch" in bad.flags and "meter_key_mismatch" not in good.flags
    assert verified_again(bare.signed, lambda _: PUBLIC) == good.signed
    assert verified_again(good.signed, lambda _: None) == bare.signed
