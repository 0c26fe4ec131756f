"""Authorize: the token table's word, and no word for certificates."""

from __future__ import annotations

from typing import Any

import pytest

from chargenet.events import TokenPresented
from chargenet.model.ids import IdToken
from chargenet.model.words import Protocol
from chargenet.ports import TokenAnswer
from tests.support.handling import FixedDesk, only, run

TOKEN = {"idToken": "VALID", "type": "KeyCode"}
HASHES = [
    {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c", "responderURL": "https://ocsp"}
]


def test_the_answer_is_the_token_tables() -> None:
    """Reply and TokenPresented have the same status; nothing is said of certificates."""
    handled = run("Authorize", {"idToken": TOKEN}, desk=FixedDesk(TokenAnswer("Expired")))
    assert handled.reply == {"idTokenInfo": {"status": "Expired"}}
    assert only(handled, TokenPresented) == TokenPresented(id_token=IdToken("VALID", "KeyCode"), token_status="Expired")


@pytest.mark.parametrize(
    "certificate", [{"certificate": "-----BEGIN"}, {"iso15118CertificateHashData": HASHES}], ids=["pem", "hash"]
)
def test_a_contract_certificate_is_not_vouched_for(certificate: dict[str, Any]) -> None:
    """Where a certificate is given its status is answered, and the token that rests on it is Invalid."""
    desk = FixedDesk()
    handled = run("Authorize", {"idToken": TOKEN, **certificate}, desk=desk)
    assert handled.reply == {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"}
    assert desk.tokens == []


def test_an_authorize_without_token_is_invalid() -> None:
    """Nobody presented nothing: answered, and no event."""
    handled = run("Authorize", {}, repaired=True)
    assert handled.reply == {"idTokenInfo": {"status": "Invalid"}}
    assert handled.events == ()


def test_a_too_long_token_is_asked_about_whole() -> None:
    """A 40-character token in 2.0.1 breaks its schema and is judged as it was said."""
    desk = FixedDesk()
    run("Authorize", {"idToken": {"idToken": "A" * 40, "type": "ISO15693"}}, desk=desk, repaired=True)
    assert desk.tokens == [IdToken("A" * 40, "ISO15693")]


def test_token_kinds_of_2_1_are_free_text() -> None:
    """2.1 lets vendors name kinds; they are kept."""
    handled = run("Authorize", {"idToken": {"idToken": "x", "type": "VIN"}}, protocol=Protocol.OCPP21)
    assert only(handled, TokenPresented).id_token.kind == "VIN"
