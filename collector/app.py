"""The collector as a program: chooses the adapters of its ports, listens, watches over its connections, and drains.

Decided here: which transport and which policies the settings mean, how often connections are looked at, and how a stop goes.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from chargenet.errors import JournalUnavailable, Unavailable
from chargenet.model.record import Record
from chargenet.model.standstill import BEAT_S, Standstills
from chargenet.model.station import ChargePointRegistration
from chargenet.model.words import Protocol, RecordKind, Registration
from chargenet.observe.names import SOCKETS
from chargenet.observe.platform import PlatformMetrics
from chargenet.ports import Clock, Journal
from chargenet.settings import CollectorSettings, Settings
from chargenet.storage.caches import CachedDirectory, CachedTokens
from collector import tls
from collector.admission import Admission, AdmissionRule, Admitted
from collector.answer import prepare
from collector.connection import GOING_AWAY, POLICY, Connection
from collector.credentials import load_pepper
from collector.desk import FrontDesk, RegistrationRule
from collector.endings import End, Endings
from collector.interpret import interpret
from collector.ledger import Ledger
from collector.leftovers import record_end
from collector.limiters import ConnectionsPerAddress, FailedLogins
from collector.liveness import LivenessRule, Pulse
from collector.ocpp.channel import Repeats
from collector.recorder import Recorder
from collector.registry import Registry
from collector.services import ConnectionLimits, Services
from collector.transport.choose import choose
from collector.transport.port import Limits, Server
from collector.verifier import Verifier

log = logging.getLogger(__name__)

SWEEP_S = 1.0
SWEEP_SLICE = 2_000
"""Connections looked at between two breaths of the event loop: a sweep of 50,000 must not hold up a reply."""
REFRESH_S = 30.0


class Collector:
    """Listens for charge points; `run` until cancelled, `drain` to stop."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        journal: Journal,
        recorder: Recorder,
        ledger: Ledger,
        directory: CachedDirectory,
        tokens: CachedTokens,
        metrics: PlatformMetrics,
        pepper_file: Path,
        touched: Callable[[str, float], None],
    ) -> None:
        self.settings = settings.collector
        self.directory, self.tokens, self.ledger, self.journal = directory, tokens, ledger, journal
        self._clock, self._recorder, self._metrics = clock, recorder, metrics
        self.pepper = load_pepper(pepper_file)
        self.verifier = Verifier(self.pepper)
        self.registry: Registry[Connection] = Registry()
        self.desk = FrontDesk(_registration_rule(self.settings), directory, tokens, ledger)
        self.services = Services(
            clock, recorder, journal, self.desk, ledger, metrics, _liveness(self.settings), _limits(self.settings),
            asyncio.get_running_loop(), touched,
        )  # fmt: skip
        self.admission = self._make_admission()
        self._server: Server | None = None
        self._enlisting: set[str] = set()
        self._newcomers = asyncio.Event()
        self._sockets: set[Connection] = set()
        self._repeats: dict[str, Repeats] = {}
        self.standstills = Standstills()
        """While it runs, this finds out when it did not; for all that judge silence."""
        self._endings = Endings()
        recorder.on_lost(ledger.forget_after)
        recorder.on_lost(self._lost_after)

    def _make_admission(self) -> Admission:
        chosen = self.settings
        rule = AdmissionRule(
            chosen.unknown_charge_points, chosen.security_profile, Protocol(chosen.default_protocol), chosen.max_connections
        )
        failures = FailedLogins(
            tries=chosen.failed_logins, window_s=chosen.failed_login_window_s, delay_s=chosen.failed_login_delay_s
        )
        addresses = ConnectionsPerAddress(chosen.connections_per_address)
        return Admission(
            rule, self.directory, self.verifier, failures, addresses, self._clock, self._metrics, self._connect, self._failed_login
        )

    # -- life

    async def listen(self) -> int:
        """Bind; the port. Raises OSError when the address is taken, SettingsError for unusable certificates."""
        prepare()
        chosen = self.settings
        limits = Limits(
            max_message_bytes=chosen.max_message_bytes, handshake_timeout_s=chosen.handshake_timeout_s,
            max_write_buffer_bytes=chosen.max_unsent_bytes, deflate=chosen.deflate,
        )  # fmt: skip
        serve = choose(chosen.transport)
        server = await serve(self.admission.admit, chosen.ocpp.host, chosen.ocpp.port, limits=limits, tls=self._tls())
        for outcome in server.counts:
            self._metrics.watch(SOCKETS, partial(server.counts.__getitem__, outcome), outcome)
        self._server = server
        return server.port

    def _tls(self) -> ssl.SSLContext | None:
        chosen = self.settings
        if chosen.tls_cert is None or chosen.tls_key is None:
            return None
        return tls.server_context(chosen.tls_cert, chosen.tls_key, chosen.client_ca)

    async def run(self) -> None:
        """Watch over connections and caches until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat_forever(), name="standstills")
            tasks.create_task(self._sweep_forever(), name="liveness")
            tasks.create_task(self._refresh_forever(), name="caches")
            tasks.create_task(self._enlist_forever(), name="newcomers")

    async def drain(self, timeout_s: float) -> None:
        """Refuse new connections, say goodbye to the open ones (or drop them, where a vendor needs it), wait for the journal."""
        self.admission.draining = True
        if self._server is not None:
            await self._server.close()
        for connection in list(self._sockets):
            if connection.vendor in self.settings.drain_drop_tcp_vendors:
                connection.drop("draining")
            else:
                connection.close(GOING_AWAY, "the server restarts")
        deadline = self._clock.monotonic() + timeout_s
        # Two conditions of other modules end this wait; looking 50 times a second is simpler than an event for each.
        while (self._sockets or self._recorder.waiting) and self._clock.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for connection in list(self._sockets):
            connection.drop("draining took too long")
        await asyncio.sleep(0)
        self.verifier.close()

    # -- connections

    def _connect(self, admitted: Admitted) -> Connection:
        connection = Connection(admitted, self.services, self)
        self._sockets.add(connection)
        return connection

    def opened(self, connection: Connection) -> None:
        """A connection is recorded: it is the charge point's present one."""
        self.registry.enter(connection)
        self._metrics.connection_opened(connection.protocol, connection.admitted.security_profile)
        if self.settings.unknown_charge_points == "pending" and self.directory.find(connection.charge_point_id) is None:
            self._enlisting.add(connection.charge_point_id)
            self._newcomers.set()

    def closed(self, connection: Connection, cause: str) -> bool:
        """True when the charge point is offline now."""
        offline = self.registry.leave(connection)
        cause = cause if offline else "superseded"
        self._metrics.connection_closed(connection.protocol, connection.admitted.security_profile, cause)
        return offline

    def repeats_of(self, charge_point_id: str) -> Repeats:
        """What it was answered lately: kept over reconnects, for the most recent charge points."""
        found = self._repeats.pop(charge_point_id, None) or Repeats()
        self._repeats[charge_point_id] = found
        if len(self._repeats) > self.settings.max_connections:
            del self._repeats[next(iter(self._repeats))]
        return found

    def forget_repeats(self, charge_point_id: str) -> None:
        """Records were lost before they were durable: nothing may be taken for a repeat of them, on any connection."""
        self.repeats_of(charge_point_id).forget()

    def ended(self, connection: Connection, note: bytes, sequence: int) -> None:
        """See Owner."""
        self._endings.keep(End(connection.charge_point_id, connection.generation, connection.protocol, note, sequence))

    def _lost_after(self, durable: int) -> None:
        """Records were lost: connections that began there have no beginning, ends that came there have no record."""
        for connection in list(self._sockets):
            if connection.generation > durable:
                connection.void()
        self._endings.lost_after(durable)

    def gone(self, connection: Connection) -> None:
        """Its socket is closed."""
        self._sockets.discard(connection)
        self.admission.left(connection.admitted.remote)

    def block(self, charge_point_id: str) -> None:
        """Its registration or password changed: a blocked one is cut off now."""
        connection = self.registry.get(charge_point_id)
        entry = self.directory.find(charge_point_id)
        if connection is not None and entry is not None and entry.registration == Registration.REJECTED:
            connection.close(POLICY, "blocked")

    def _failed_login(self, charge_point_id: str, remote: str, reason: str) -> None:
        frame = msgspec.json.encode({"remote": remote, "reason": reason})
        now_us = self._clock.now_us()
        record = Record(0, now_us, charge_point_id, 0, "", RecordKind.LOGIN_REFUSED, frame)
        try:
            self._recorder.record(
                received_at_us=now_us, charge_point_id=charge_point_id, generation=0, protocol="", kind=record.kind, frame=frame,
                action="", events=interpret(record).events,
            )  # fmt: skip
        except JournalUnavailable:
            log.warning("the journal takes nothing: a refused log-in of %s is not recorded", charge_point_id)
        self._metrics.security_event("LoginRefused")

    # -- watching

    async def _beat_forever(self) -> None:
        known = 0
        while True:
            self.standstills.beat(self._clock.now(), self._clock.monotonic())
            if self.standstills.count > known:
                known = self.standstills.count
                log.warning(
                    "nobody was listening for %.0f s: the process or the machine stood still, or the clock was set forward; "
                    "silence in that time is held against nobody", self.standstills.last_s,
                )  # fmt: skip
            await asyncio.sleep(BEAT_S)

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await self._sweep()

    async def _sweep(self) -> None:
        now, rule, standstills = self._clock.monotonic(), self.services.liveness, self.standstills
        standstills.beat(self._clock.now(), now)
        healthy, quiet_since = self.journal.healthy, now - rule.quiet_s
        if healthy:
            self._record_ends()
        for count, connection in enumerate(self.registry):
            if count % SWEEP_SLICE == SWEEP_SLICE - 1:
                await asyncio.sleep(0)
            if healthy and connection.pressure is not None and connection.pressure.pressed:
                connection.journal_healthy()
            if connection.last_heard > quiet_since:
                continue
            heard = connection.last_heard + standstills.between(connection.last_heard, now)
            pulse = rule.judge(now, heard, connection.last_ping)
            if pulse is Pulse.PING:
                connection.ping(now)
            elif pulse is Pulse.LOST:
                connection.drop(f"nothing heard for {now - connection.last_heard:.0f} s")

    def _record_ends(self) -> None:
        """Ends that the journal did not keep when they came."""
        for end in self._endings.due(self.journal.durable_sequence):
            try:
                end.sequence = record_end(self._recorder, self._clock, end.charge_point_id, end.generation, end.protocol, end.note)
            except JournalUnavailable as error:
                log.warning("ends of connections are not recorded yet: %s", error)
                return

    async def _refresh_forever(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.directory.refresh()
                await self.tokens.refresh()
            except Unavailable as error:
                log.warning("what is known of charge points and tokens stays as it was: %s", error)

    async def _enlist_forever(self) -> None:
        while True:
            await self._newcomers.wait()
            self._newcomers.clear()
            try:
                await self._enlist()
            except Unavailable as error:
                log.warning("charge points that wait for approval cannot be listed yet: %s", error)
                await asyncio.sleep(SWEEP_S)
                self._newcomers.set()

    async def _enlist(self) -> None:
        """Unknown charge points under the policy `pending` are put on the list that an operator approves from."""
        now = self._clock.now()
        for charge_point_id in list(self._enlisting):
            if self.directory.find(charge_point_id) is None:
                row = ChargePointRegistration(
                    charge_point_id=charge_point_id, registration=Registration.PENDING, created_at=now, updated_at=now
                )
                await self.directory.put(row)
            self._enlisting.discard(charge_point_id)


def _registration_rule(chosen: CollectorSettings) -> RegistrationRule:
    return RegistrationRule(chosen.unknown_charge_points, chosen.heartbeat_interval_s, chosen.boot_retry_s, chosen.jitter)


def _liveness(chosen: CollectorSettings) -> LivenessRule:
    return LivenessRule(chosen.heartbeat_interval_s, chosen.lost_after_heartbeats, chosen.ping_interval_s)


def _limits(chosen: CollectorSettings) -> ConnectionLimits:
    return ConnectionLimits(
        max_frames_per_s=chosen.max_frames_per_s, burst_frames=2 * chosen.max_frames_per_s,
        max_waiting_calls=chosen.max_waiting_calls,
    )  # fmt: skip
