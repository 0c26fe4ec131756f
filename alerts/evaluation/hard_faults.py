"""Hard faults: what a charge point itself shows to be wrong. Decided here: what each does to its reports, and which rule names it.

Each is put on the story of a real charge point (alerts/evaluation/story.py), at one of its sessions, and judged by the rules that
ship (alerts/evaluation/hard_run.py).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from alerts.detectors.rules.settings import RuleSettings
from alerts.evaluation.sessions import Session
from alerts.evaluation.story import FIRST_REGISTER_WH, Told, Wrong, opened, reference, status, told
from chargenet import events as e
from chargenet.model.ids import ConnectorRef, IdToken
from chargenet.model.words import TokenStatus

SETTINGS = RuleSettings()
REFUSED = TokenStatus.INVALID.value


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fault is put: one session of one connector. `began`: when the fault begins (UTC seconds)."""

    number: int
    session: Session
    began: float
    seed: int
    register_wh: float = FIRST_REGISTER_WH
    """Where the connector's meter stands as the session begins."""

    @property
    def connector(self) -> ConnectorRef:
        """The connector that breaks."""
        return reference(self.session.connector)


class HardFault(msgspec.Struct, frozen=True, kw_only=True):
    """One kind. `waits_s`: how long the rule must wait by its settings."""

    name: str
    right: frozenset[str]
    tell: Callable[[Scene], list[Told]]
    """What is told from `began` on, instead of the connector's own sessions."""
    waits_s: float = 0.0
    in_session: bool = False
    """It begins with a session, not after one."""
    silent: bool = False
    """Nothing is heard from `began` on."""
    behind_s: float = 0.0
    """The charge point's clock is slow by so much from `began` on."""


def _in_session(name: str, kind: str, wrong: Wrong, waits_s: float, *also: str) -> HardFault:
    def tell(scene: Scene) -> list[Told]:
        return told(scene.number, scene.session, scene.connector, scene.register_wh, scene.seed, wrong)

    return HardFault(name=name, right=frozenset({kind, *also}), tell=tell, waits_s=waits_s, in_session=True)


def _says(name: str, kind: str, word: str, waits_s: float, error_code: str | None = None) -> HardFault:
    def tell(scene: Scene) -> list[Told]:
        return [status(scene.began, scene.connector, word, error_code)]

    return HardFault(name=name, right=frozenset({kind}), tell=tell, waits_s=waits_s)


def _fault_flapping(scene: Scene) -> list[Told]:
    made: list[Told] = []
    for at in range(12):
        began = scene.began + at * 2700.0
        made += [
            status(began, scene.connector, "Faulted", "OtherError"),
            status(began + 90.0, scene.connector, "Available", "NoError"),
        ]
    return made


def _reboots(scene: Scene) -> list[Told]:
    made: list[Told] = []
    for at in range(12):
        made += [_closed(scene.began + at * 600.0), *opened(scene.began + at * 600.0 + 45.0, scene.session.model)]
    return made


def _reconnects(scene: Scene) -> list[Told]:
    made: list[Told] = []
    for at in range(24):
        began = scene.began + at * 480.0
        made += [_closed(began), Told(began + 20.0, (e.ConnectionOpened(remote="192.0.2.1"),))]
    return made


def _closed(at: float) -> Told:
    return Told(at, (e.ConnectionClosed(code=1006, reason="", lost=True),))


def _the_session(scene: Scene) -> list[Told]:
    return told(scene.number, scene.session, scene.connector, scene.register_wh, scene.seed)


def _rejects(scene: Scene) -> list[Told]:
    return [
        Told(scene.began + at * 420.0, (e.TokenPresented(id_token=IdToken(f"card {at}"), token_status=REFUSED),)) for at in range(8)
    ]


def _firmware_failed(scene: Scene) -> list[Told]:
    return [Told(scene.began, (e.FirmwareStatusReported(status="InstallationFailed"),))]


def _other_firmware(scene: Scene) -> list[Told]:
    return [_closed(scene.began - 60.0), *opened(scene.began, scene.session.model, "6.6.6")]


def _nothing(_: Scene) -> list[Told]:
    return []


HARD_FAULTS: tuple[HardFault, ...] = (
    _says("safety fault", "safety_fault", "Faulted", 0.0, "GroundFailure"),
    _says("faulted", "faulted", "Faulted", SETTINGS.fault_after_s, "OtherError"),
    HardFault(name="fault flapping", right=frozenset({"fault_flapping"}), tell=_fault_flapping, waits_s=3 * 2700.0),
    HardFault(name="offline", right=frozenset({"offline"}), tell=_nothing, waits_s=900.0, silent=True),
    HardFault(name="reboot loop", right=frozenset({"reboot_loop"}), tell=_reboots, waits_s=2 * 600.0),
    HardFault(name="connection flapping", right=frozenset({"connection_flapping"}), tell=_reconnects, waits_s=5 * 480.0),
    _says("stuck preparing", "stuck_preparing", "Preparing", SETTINGS.preparing_after_s),
    _in_session("stuck finishing", "stuck_finishing", Wrong.STAYS_FINISHING, SETTINGS.finishing_after_s),
    _says("stuck unavailable", "stuck_unavailable", "Unavailable", SETTINGS.unavailable_after_s),
    _says("stuck reserved", "stuck_reserved", "Reserved", SETTINGS.reserved_after_s),
    _in_session("stuck suspended", "stuck_suspended_evse", Wrong.HOLDS_BACK, SETTINGS.suspended_evse_after_s),
    _in_session("zombie transaction", "zombie_transaction", Wrong.NOTHING_FLOWS, SETTINGS.zombie_after_s),
    _in_session("eternal transaction", "eternal_transaction", Wrong.NEVER_STOPS, SETTINGS.eternal_after_s),
    _in_session("open on available", "transaction_on_available", Wrong.SAYS_AVAILABLE, SETTINGS.available_after_s),
    _in_session("register backwards", "register_backwards", Wrong.REGISTER_FALLS, 0.0),
    _in_session("register frozen", "register_frozen", Wrong.REGISTER_STANDS, SETTINGS.frozen_after_s),
    _in_session("meter jump", "meter_jump", Wrong.REGISTER_JUMPS, 0.0),
    HardFault(
        name="clock drift", right=frozenset({"clock_drift"}), tell=_the_session, waits_s=900.0, in_session=True, behind_s=3600.0
    ),
    HardFault(name="rejected drivers", right=frozenset({"authorization_rejects"}), tell=_rejects, waits_s=4 * 420.0),
    HardFault(name="firmware failed", right=frozenset({"firmware_failed"}), tell=_firmware_failed),
    HardFault(name="unexpected firmware", right=frozenset({"unexpected_firmware"}), tell=_other_firmware),
)
