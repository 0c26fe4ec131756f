"""Signed meter values: kept to the byte, verified where a key is known (OCMF), never an error for what a charge point sent."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from billing_reports.assemble import Assembled, assemble
from billing_reports.evidence import Signed
from billing_reports.signed import INVALID, MOST, UNVERIFIED, VALID, energy_wh, verified, verify
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
    assert (known.verdict, known.reason) == (VALID, "the signature matches the key known for the meter")
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
