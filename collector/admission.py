"""Who may connect, and as what: judged from the upgrade request before a single frame is read.

Decided here: the order of the questions (limits, identity, credentials, registration, protocol) and the status of each refusal. It
never says whether a charge point exists to someone who could not prove to be it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Protocol as Port

import msgspec

from chargenet.model.words import Protocol, Registration
from chargenet.ports import ChargePointEntry, Clock, Directory
from collector.credentials import parse_basic
from collector.identity import charge_point_id, choose_protocol
from collector.limiters import ConnectionsPerAddress, FailedLogins
from collector.transport.port import Accept, Listener, Refuse, Upgrade
from collector.verifier import Busy, Verifier

log = logging.getLogger(__name__)

PASSWORD, MUTUAL_TLS = 1, 3
"""Security profiles (OCPP 1.6 security whitepaper §2.3, 2.0.1 A00): 0 none, 1 Basic, 2 Basic over TLS, 3 client certificate."""


class Admitted(msgspec.Struct, frozen=True):
    """A charge point that may connect."""

    charge_point_id: str
    protocol: Protocol
    remote: str
    security_profile: int
    vendor: str | None = None
    subprotocol_missing: bool = False
    spoken: bool = True
    """False: it offered only subprotocols that we do not speak; OCPP-J wants the connection opened and closed again."""


class AdmissionRule(msgspec.Struct, frozen=True):
    """`unknown`: accept, pending or reject; `security_profile`: the least that a charge point must prove."""

    unknown: str = "accept"
    security_profile: int = 0
    default_protocol: Protocol = Protocol.OCPP16
    max_connections: int = 50_000

    @property
    def max_strangers(self) -> int:
        """Unregistered charge points that are let in from one start to the next: each costs memory in every read model."""
        return 2 * self.max_connections


class Notes(Port):
    """Told about refusals."""

    def upgrade_refused(self, reason: str) -> None: ...
    def login_refused(self) -> None: ...


class Admission:
    """Answers `collector.transport.port.Admit`."""

    def __init__(
        self,
        rule: AdmissionRule,
        directory: Directory,
        verifier: Verifier,
        failures: FailedLogins,
        addresses: ConnectionsPerAddress,
        clock: Clock,
        notes: Notes,
        connect: Callable[[Admitted], Listener],
        on_failed_login: Callable[[str, str, str], None],
    ) -> None:
        self._rule, self._directory, self._verifier = rule, directory, verifier
        self._failures, self._addresses, self._clock, self._notes = failures, addresses, clock, notes
        self._connect, self._on_failed_login = connect, on_failed_login
        self._strangers: set[str] = set()
        self.open = 0
        self.draining = False

    def admit(self, upgrade: Upgrade) -> Accept | Refuse | asyncio.Future[Accept | Refuse]:
        """The answer; a future where a slow password hash must be checked."""
        if self.draining or self.open >= self._rule.max_connections:
            return self._refuse("full", Refuse(503, "Too many connections, try again later.", retry_after_s=30))
        name = charge_point_id(upgrade.path)
        if name is None:
            return self._refuse("path", Refuse(404, "Connect to /ocpp/<charge point id>."))
        wait_s = self._failures.wait_s(upgrade.remote, name, self._clock.monotonic())
        if wait_s > 0:
            return self._refuse("failed_logins", Refuse(429, "Too many failed log-ins.", retry_after_s=math.ceil(wait_s)))
        entry = self._directory.find(name)
        proof = self._proof(name, entry, upgrade)
        if isinstance(proof, asyncio.Future):
            # Owned by the transport's door, which awaits what `admit` returns and cancels it when it closes.
            return asyncio.ensure_future(self._later(proof, name, entry, upgrade))  # noqa: TID251
        return self._conclude(proof, name, entry, upgrade)

    async def _later(
        self, proof: asyncio.Future[bool], name: str, entry: ChargePointEntry | None, upgrade: Upgrade
    ) -> Accept | Refuse:
        return self._conclude(await proof, name, entry, upgrade)

    def _proof(self, name: str, entry: ChargePointEntry | None, upgrade: Upgrade) -> bool | Refuse | asyncio.Future[bool]:
        """Did it prove to be `name`? True also where nothing must be proved."""
        if upgrade.client_name is not None and upgrade.client_name == name:
            return True
        if self._rule.security_profile >= MUTUAL_TLS:
            return False
        stored = entry.password_hash if entry else None
        if self._rule.security_profile < PASSWORD and stored is None:
            return True
        given = parse_basic(upgrade.authorization)
        if given is None or given[0] != name:
            return False
        try:
            return self._verifier.verify(name, given[1], stored, self._clock.monotonic())
        except Busy:
            return Refuse(503, "Busy, try again later.", retry_after_s=5)

    def _conclude(self, proof: bool | Refuse, name: str, entry: ChargePointEntry | None, upgrade: Upgrade) -> Accept | Refuse:
        if isinstance(proof, Refuse):
            return self._refuse("busy", proof)
        if not proof:
            return self._failed(name, entry, upgrade)
        if upgrade.authorization is not None:
            self._failures.succeeded(upgrade.remote, name)
        if entry is None and self._rule.unknown == "reject":
            return self._refuse("unknown", Refuse(404, "This charge point is not known here."))
        if entry is not None and entry.registration == Registration.REJECTED:
            return self._refuse("blocked", Refuse(403, "This charge point is blocked."))
        if not self._addresses.enter(upgrade.remote):
            return self._refuse("address", Refuse(429, "Too many connections from this address.", retry_after_s=60))
        if entry is None and not self._room_for(name):
            self._addresses.leave(upgrade.remote)
            return self._refuse("strangers", Refuse(503, "Too many unregistered charge points.", retry_after_s=3600))
        return self._accept(name, entry, upgrade)

    def _room_for(self, name: str) -> bool:
        """An unregistered charge point that was here before, or one of the first `max_strangers`."""
        known, limit = self._strangers, self._rule.max_strangers
        if name in known:
            return True
        if len(known) >= limit:
            log.warning("charge point %r is refused: %d unregistered ones were let in since the start; register it", name, limit)
            return False
        known.add(name)
        return True

    def _accept(self, name: str, entry: ChargePointEntry | None, upgrade: Upgrade) -> Accept:
        protocol = choose_protocol(upgrade.subprotocols, self._rule.default_protocol)
        self.open += 1
        admitted = Admitted(
            charge_point_id=name,
            protocol=protocol or self._rule.default_protocol,
            remote=upgrade.remote,
            security_profile=_profile(upgrade),
            vendor=entry.vendor if entry else None,
            subprotocol_missing=not upgrade.subprotocols,
            spoken=protocol is not None,
        )
        chosen = protocol.value if protocol is not None and upgrade.subprotocols else None
        return Accept(self._connect(admitted), chosen)

    def left(self, remote: str) -> None:
        """A connection that was accepted has ended."""
        self.open -= 1
        self._addresses.leave(remote)

    def _failed(self, name: str, entry: ChargePointEntry | None, upgrade: Upgrade) -> Refuse:
        self._failures.failed(upgrade.remote, name, self._clock.monotonic())
        self._notes.login_refused()
        reason = "no credentials" if upgrade.authorization is None and upgrade.client_name is None else "wrong credentials"
        log.warning("log-in refused: charge point %r from %s: %s", name, upgrade.remote, reason)
        if entry is not None:  # a stranger must not fill the journal in the name of charge points that do not exist
            self._on_failed_login(name, upgrade.remote, reason)
        return self._refuse("credentials", Refuse(401, "Log in as the charge point that you are."))

    def _refuse(self, reason: str, refusal: Refuse) -> Refuse:
        self._notes.upgrade_refused(reason)
        return refusal


def _profile(upgrade: Upgrade) -> int:
    if upgrade.client_name is not None:
        return MUTUAL_TLS
    if upgrade.authorization is None:
        return 0
    return 2 if upgrade.tls else PASSWORD
