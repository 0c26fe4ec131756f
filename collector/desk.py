"""The desk: where handlers' deciders get what only the server can know. Joins the ledger, the token table and the directory.

Decided here: registration by policy, and the intervals given to charge points with their jitter (derived from the id, so that a
replay or a test sees the same: no two charge points of a network boot or beat in step).
"""

from __future__ import annotations

import zlib
from datetime import datetime

import msgspec

from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.words import Registration
from chargenet.ports import Directory, TokenAnswer, TokenTable
from collector.context import Matched
from collector.ledger import Ledger


class RegistrationRule(msgspec.Struct, frozen=True):
    """Policy for charge points; seconds. `jitter` 0.1 spreads an interval over ±10 %."""

    unknown: str = "accept"
    heartbeat_interval_s: int = 300
    boot_retry_s: int = 60
    jitter: float = 0.1

    def interval_s(self, charge_point_id: str, registration: str) -> int:
        """What BootNotification answers: heartbeat interval when accepted, else when to boot again."""
        base = self.heartbeat_interval_s if registration == Registration.ACCEPTED else self.boot_retry_s
        share = zlib.crc32(charge_point_id.encode()) / 0xFFFFFFFF  # 0…1, stable per charge point
        return max(1, round(base * (1 + self.jitter * (2 * share - 1))))


_BY_POLICY = {"accept": Registration.ACCEPTED, "pending": Registration.PENDING, "reject": Registration.REJECTED}


class FrontDesk:
    """Implements `collector.context.Desk`."""

    def __init__(self, rule: RegistrationRule, directory: Directory, tokens: TokenTable, ledger: Ledger) -> None:
        self._rule, self._directory, self._tokens, self.ledger = rule, directory, tokens, ledger

    def registration(self, charge_point_id: str) -> tuple[str, int]:
        """(Registration, interval in seconds) for a BootNotification."""
        entry = self._directory.find(charge_point_id)
        registration = entry.registration if entry else _BY_POLICY[self._rule.unknown]
        return registration, self._rule.interval_s(charge_point_id, registration)

    def authorize(self, token: IdToken, now: datetime) -> TokenAnswer:
        """What the token table says."""
        return self._tokens.authorize(token, now)

    def start(
        self, charge_point_id: str, connector: ConnectorRef | None, token: IdToken | None, started_at: str, register_wh: int | None
    ) -> Matched:
        """See Desk.start."""
        return self.ledger.start(charge_point_id, connector, token, started_at, register_wh)

    def stop(
        self, charge_point_id: str, transaction_id: int | None, token: IdToken | None, stopped_at: str, register_wh: int | None
    ) -> Matched:
        """See Desk.stop."""
        return self.ledger.stop(charge_point_id, transaction_id, token, stopped_at, register_wh)

    def event(self, charge_point_id: str, transaction_id: str, seq_no: int, event_type: str) -> Matched:
        """See Desk.event."""
        return self.ledger.event(charge_point_id, transaction_id, seq_no, event_type)

    def place(
        self, charge_point_id: str, transaction_id: str, evse_id: int | None, connector_id: int | None
    ) -> ConnectorRef | None:
        """See Desk.place."""
        return self.ledger.places.place(charge_point_id, transaction_id, evse_id, connector_id)

    def ended(self, charge_point_id: str, transaction_id: str) -> None:
        """See Desk.ended."""
        self.ledger.places.ended(charge_point_id, transaction_id)
