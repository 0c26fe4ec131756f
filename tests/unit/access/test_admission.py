"""Who is let in where nobody is registered: many, but not any number."""

from __future__ import annotations

from unittest.mock import Mock

from chargenet.ports import ChargePointEntry
from chargenet.testing import FrozenClock
from collector.admission import Admission, AdmissionRule
from collector.credentials import PEPPER_BYTES, Pepper
from collector.limiters import ConnectionsPerAddress, FailedLogins
from collector.transport.port import Accept, Refuse, Upgrade
from collector.verifier import Verifier

KNOWN = ChargePointEntry("KNOWN", "Accepted")


class Directory:
    """One registered charge point."""

    def find(self, charge_point_id: str) -> ChargePointEntry | None:
        return KNOWN if charge_point_id == KNOWN.charge_point_id else None


class Notes:
    """What was counted."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def upgrade_refused(self, reason: str) -> None:
        self.refused.append(reason)

    def login_refused(self) -> None: ...


def admission(notes: Notes, *, per_address: int = 100, max_connections: int = 2) -> Admission:
    return Admission(
        AdmissionRule(max_connections=max_connections), Directory(), Verifier(Pepper(bytes(PEPPER_BYTES))), FailedLogins(),
        ConnectionsPerAddress(per_address), FrozenClock(), notes, lambda admitted: Mock(), lambda *_: None,
    )  # fmt: skip


def upgrade(name: str) -> Upgrade:
    return Upgrade(path=f"/ocpp/{name}", subprotocols=("ocpp1.6",), remote="192.0.2.1")


def test_strangers_are_bounded() -> None:
    """After twice `max_connections` different unregistered ids a new one is refused; earlier ones and registered ones are not."""
    notes = Notes()
    gate = admission(notes)
    for number in range(4):
        assert isinstance(gate.admit(upgrade(f"CP-{number}")), Accept)
        gate.left("192.0.2.1")
    refused = gate.admit(upgrade("CP-4"))
    assert isinstance(refused, Refuse) and (refused.status, refused.retry_after_s) == (503, 3600)
    assert notes.refused == ["strangers"]
    for name in ("CP-0", "KNOWN"):
        assert isinstance(gate.admit(upgrade(name)), Accept)
        gate.left("192.0.2.1")
    assert gate.open == 0


def test_a_refused_stranger_holds_no_place_of_its_address() -> None:
    """Refusals leave the count of an address as it was, so that those that belong there can still come."""
    gate = admission(Notes(), per_address=1)
    for number in range(4):
        assert isinstance(gate.admit(upgrade(f"CP-{number}")), Accept)
        gate.left("192.0.2.1")
    for _ in range(3):
        assert isinstance(gate.admit(upgrade("ANOTHER")), Refuse)
    assert isinstance(gate.admit(upgrade("KNOWN")), Accept)


def test_an_address_at_its_limit() -> None:
    """One address has so many connections and no more, whoever they are; when one ends, another may come."""
    notes = Notes()
    gate = admission(notes, per_address=2, max_connections=10)
    assert all(isinstance(gate.admit(upgrade(f"CP-{number}")), Accept) for number in range(2))
    refused = gate.admit(upgrade("CP-2"))
    assert isinstance(refused, Refuse) and (refused.status, refused.retry_after_s) == (429, 60)
    gate.left("192.0.2.1")
    assert isinstance(gate.admit(upgrade("CP-2")), Accept)
    assert notes.refused == ["address"]
