"""Which reports of a charge point become what /metrics shows now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from chargenet import events as e
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import Measurement
from chargenet.observe import names as n
from chargenet.observe.fleet import FleetMetrics
from collector.projections.fleet import FleetProjection
from tests.support.exposition import START, facts, samples, value

PLUG = ConnectorRef(1)
ONE = {"site": "Mainz", "charge_point": "CP1", "connector": "1"}
POINT = {"site": "Mainz", "charge_point": "CP1"}


class Watched:
    """A projection, its metrics, and a running sequence."""

    def __init__(self) -> None:
        self.metrics = FleetMetrics(lambda _: "Mainz")
        self.projection = FleetProjection(self.metrics)
        self.sequence = 0

    async def take(self, *events: e.Event | Iterable[e.Event], after_s: float = 0.0, generation: int = 1) -> None:
        taken = facts(*events, first=self.sequence + 1, after_s=after_s, generation=generation)
        self.sequence += len(taken)
        await self.projection.apply(taken, self.sequence)

    def shown(self, name: str, **labels: str) -> float | None:
        return value(self.text(), name, **labels)

    def text(self) -> bytes:
        return b"".join(self.metrics.chunks(START.timestamp()))


def readings(
    *measurements: Measurement, at: datetime | None = START, transaction_id: str | None = None, plug: ConnectorRef | None = PLUG
) -> e.MeasurementsTaken:
    return e.MeasurementsTaken(connector=plug, transaction_id=transaction_id, measured_at=at, measurements=measurements)


def power(watts: float, phase: str | None = None, location: str = "Outlet") -> Measurement:
    return Measurement("Power.Active.Import", watts, "W", phase, location)


def register(wh: float) -> Measurement:
    return Measurement("Energy.Active.Import.Register", wh, "Wh")


def started(transaction_id: str = "7", register_wh: int | None = 1000) -> e.TransactionStarted:
    return e.TransactionStarted(transaction_id=transaction_id, connector=PLUG, started_at=START, energy_register_wh=register_wh)


def stopped(transaction_id: str | None = "7") -> e.TransactionStopped:
    return e.TransactionStopped(transaction_id=transaction_id, connector=None, stopped_at=START)


def status(word: str) -> e.StatusReported:
    return e.StatusReported(connector=PLUG, status=word, raw_status=word, reported_at=START)


OPENED = e.ConnectionOpened(remote="10.0.0.1")
CLOSED = e.ConnectionClosed(code=1006, reason="", lost=True)
BOOTED = e.ChargePointBooted(
    vendor="Alfen", model="Eve", serial_number=None, firmware_version="1.2", registration="Accepted"
)  # fmt: skip


async def test_measurements_become_series() -> None:
    """Each measurand of a meter value is exposed in its family, with phase or location where it has one."""
    watched = Watched()
    await watched.take(
        readings(
            power(7400.0), register(1234.5),
            Measurement("Voltage", 230.5, "V", "L1-N"), Measurement("Current.Import", 16.0, "A", "L1"),
            Measurement("SoC", 55.0, "Percent", None, "EV"), Measurement("Temperature", 41.5, "Celsius", None, "Cable"),
            Measurement("Frequency", 50.0, "Hertz"),
        )
    )  # fmt: skip
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 7400
    assert watched.shown(n.CONNECTOR_ENERGY.name, **ONE) == 1234.5
    assert watched.shown(n.CONNECTOR_VOLTAGE.name, **ONE, phase="L1-N") == 230.5
    assert watched.shown(n.CONNECTOR_CURRENT.name, **ONE, phase="L1") == 16
    assert watched.shown(n.CONNECTOR_SOC.name, **ONE) == 0.55
    assert watched.shown(n.CONNECTOR_TEMPERATURE.name, **ONE, location="Cable") == 41.5
    assert watched.shown(n.CONNECTOR_LAST_SEEN.name, **ONE) == START.timestamp()
    assert watched.shown(n.POINT_LAST_FRAME.name, **POINT) == START.timestamp()


async def test_power_is_the_total_or_else_the_sum_of_phases() -> None:
    """Phases are summed only where no total is said in the same report."""
    watched = Watched()
    await watched.take(readings(power(1000.0, "L1"), power(1100.0, "L2"), power(1200.0, "L3")))
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 3300
    await watched.take(readings(power(3500.0), power(1000.0, "L1"), power(1100.0, "L2"), power(1200.0, "L3")), after_s=1)
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 3500


async def test_power_at_the_inlet_is_not_power_at_the_connector() -> None:
    """What the charge point draws from the grid is not what the connector gives."""
    watched = Watched()
    await watched.take(readings(power(52_000.0, location="Inlet"), power(50_000.0)))
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 50_000


async def test_measurements_of_the_whole_charge_point_are_not_a_connectors() -> None:
    """Readings without a connector touch the charge point's last frame and no connector."""
    watched = Watched()
    await watched.take(readings(power(9.0), plug=None))
    assert watched.shown(n.POINT_LAST_FRAME.name, **POINT) == START.timestamp()
    assert not [key for key in samples(watched.text()) if key[0].startswith("chargewatch_connector_")]


async def test_session_energy_is_register_minus_start() -> None:
    """Energy of the running transaction follows the register, and vanishes with power when it stops; the register stays."""
    watched = Watched()
    await watched.take(started(), readings(power(7400.0), register(1500.0), transaction_id="7"))
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) == 500
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 1
    await watched.take(stopped())
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) is None
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) is None
    assert watched.shown(n.CONNECTOR_ENERGY.name, **ONE) == 1500
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 0


async def test_without_a_start_register_the_first_one_counts() -> None:
    """A 2.x transaction that starts without a meter value takes its first register as its start."""
    watched = Watched()
    await watched.take(started(register_wh=None), readings(register(2000.0), transaction_id="7"), readings(register(2250.0)))
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) == 250


async def test_a_register_below_its_start_gives_no_session_energy() -> None:
    """A meter that was exchanged or ran backwards makes the energy unknown, not negative and not zero."""
    watched = Watched()
    await watched.take(started(), readings(register(1500.0), transaction_id="7"), readings(register(20.0), transaction_id="7"))
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) is None


async def test_an_unknown_transaction_is_active_but_its_energy_is_not_known() -> None:
    """A transaction known from its readings alone counts as active; its energy stays absent, since its start is not known."""
    watched = Watched()
    await watched.take(readings(register(2000.0), transaction_id="9"), readings(register(2500.0), transaction_id="9"))
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 1
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) is None


async def test_a_seeded_transaction_goes_on() -> None:
    """After a restart, energy is counted from the register that the stores know."""
    watched = Watched()
    watched.projection.seed_transaction("CP1", PLUG, "7", 1000.0)
    await watched.take(readings(register(1750.0), transaction_id="7"))
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) == 750


async def test_readings_after_the_stop_are_not_shown() -> None:
    """Late readings of a stopped transaction, or of another than the running one, do not come back as live values."""
    watched = Watched()
    await watched.take(started(), stopped(), readings(power(11_000.0), transaction_id="7"))
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) is None
    await watched.take(started("8"), readings(power(11_000.0), transaction_id="7"))
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) is None
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 1


async def test_available_ends_a_transaction_whose_stop_is_missing() -> None:
    """A connector that is free runs no transaction; a later reading of the same one shows that it does."""
    watched = Watched()
    await watched.take(started(), readings(power(11_000.0), transaction_id="7"), status("Available"))
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 0
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) is None
    await watched.take(readings(power(10_000.0), register(1600.0), transaction_id="7"))
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 1
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) == 600


async def test_a_new_start_replaces_a_transaction_whose_stop_is_missing() -> None:
    """One connector runs one transaction; the values of the former one are gone."""
    watched = Watched()
    await watched.take(started("7"), readings(power(11_000.0), transaction_id="7"), started("8"))
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 1
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) is None
    await watched.take(stopped("7"))
    assert watched.shown(n.SITE_TRANSACTIONS.name, site="Mainz") == 1


async def test_a_backlog_is_not_the_present() -> None:
    """Readings of yesterday, delivered after a reconnect, do not become live values; the charge point's own clock is believed."""
    watched = Watched()
    yesterday = START - timedelta(days=1)
    await watched.take(BOOTED, status("Charging"), readings(power(22_000.0), at=yesterday))
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) is None
    await watched.take(readings(power(7_000.0), at=START))
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 7000


async def test_a_wrong_clock_does_not_blank_a_connector() -> None:
    """A charge point that is steadily in 1970 is shown all the same; so is one without a usable instant."""
    watched = Watched()
    past = datetime(1970, 1, 1, 0, 5, tzinfo=START.tzinfo)
    await watched.take(BOOTED, readings(power(7_000.0), at=past))
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 7000
    await watched.take(readings(power(7_100.0), at=past + timedelta(seconds=60)), after_s=60)
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 7100
    await watched.take(readings(power(7_200.0), at=None), after_s=120)
    assert watched.shown(n.CONNECTOR_POWER.name, **ONE) == 7200


async def test_the_close_of_an_old_connection_does_not_disconnect() -> None:
    """A superseded connection, or one of an earlier generation, cannot mark the charge point as gone."""
    watched = Watched()
    await watched.take(OPENED, generation=1)
    await watched.take(OPENED, generation=2)
    await watched.take(CLOSED, generation=1)
    await watched.take(e.ConnectionClosed(code=1000, reason="", lost=False, superseded=True), generation=2)
    assert watched.shown(n.POINT_CONNECTED.name, **POINT) == 1
    await watched.take(CLOSED, generation=2)
    assert watched.shown(n.POINT_CONNECTED.name, **POINT) == 0


async def test_facts_count_once() -> None:
    """The same facts again change nothing: boots and security events are not counted twice."""
    watched = Watched()
    taken = facts(BOOTED, e.SecurityEventReported(type="TamperDetectionActivated"))
    for _ in range(2):
        await watched.projection.apply(taken, 2)
    assert await watched.projection.position() == 2
    assert watched.shown(n.POINT_BOOTS.name, **POINT) == 1
    assert watched.shown(n.POINT_SECURITY_EVENTS.name, **POINT) == 1


async def test_uploads_and_updates_are_taken_in() -> None:
    """A diagnostics file counts; a 2.x update carries a register."""
    watched = Watched()
    update = e.TransactionUpdated(transaction_id="7", connector=None, updated_at=START, energy_register_wh=1900)
    await watched.take(started(), update, e.DiagnosticsUploaded(file_id="f", name="a.zip", size_bytes=1, sha256="0"))
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) == 900
    assert watched.shown(n.POINT_UPLOADS.name, **POINT) == 1


async def test_reset_forgets_everything() -> None:
    """After a reset no series is left and the position is 0."""
    watched = Watched()
    await watched.take(OPENED, BOOTED, status("Available"), started())
    await watched.projection.reset()
    assert samples(watched.text()) == {}
    assert await watched.projection.position() == 0


async def test_a_removed_charge_point_leaves_no_state() -> None:
    """After `forget`, a charge point of the same name starts from nothing."""
    watched = Watched()
    await watched.take(OPENED, started(), readings(register(1500.0), transaction_id="7"))
    watched.projection.forget("CP1")
    assert samples(watched.text()) == {}
    await watched.take(stopped(), readings(register(1600.0)))
    assert watched.shown(n.CONNECTOR_SESSION_ENERGY.name, **ONE) is None
