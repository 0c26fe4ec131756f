"""What a charge point and its connectors look like at /metrics."""

from __future__ import annotations

import asyncio
import math

import pytest

from chargenet.model import measurement as m
from chargenet.observe import names as n
from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.series import Interner, label
from tests.support.exposition import samples, value

NOW = 1_772_000_000.0
ONE = {"site": "Mainz", "charge_point": "CP1", "connector": "1"}


def fleet() -> FleetMetrics:
    return FleetMetrics(lambda charge_point_id: "Mainz" if charge_point_id.startswith("CP") else "")


def text(metrics: FleetMetrics, now: float = NOW) -> bytes:
    return b"".join(metrics.chunks(now))


def test_nothing_known_is_an_empty_exposition() -> None:
    """A fleet without charge points exposes headers and not one series."""
    assert samples(text(fleet())) == {}


def test_only_the_active_status_is_exposed() -> None:
    """After a change of status, the former one has no series."""
    metrics = fleet()
    metrics.opened("CP1", "ocpp1.6", NOW)
    metrics.reported("CP1", "1", "Preparing", NOW)
    metrics.reported("CP1", "1", "Charging", NOW)
    shown = [key for key in samples(text(metrics)) if key[0] == n.CONNECTOR_STATUS.name]
    assert shown == [(n.CONNECTOR_STATUS.name, frozenset({**ONE, "status": "Charging"}.items()))]


def test_a_status_holds_while_connected_and_vanishes_after_the_offline_horizon() -> None:
    """Status and error outlive any time while connected; gone, they vanish after the horizon and come back with it."""
    metrics = fleet()
    metrics.opened("CP1", "ocpp1.6", NOW)
    metrics.reported("CP1", "1", "Faulted", NOW, "GroundFailure", "E7")
    error = {**ONE, "error_code": "GroundFailure", "vendor_error_code": "E7"}
    later = NOW + 10 * n.OFFLINE_HORIZON_S
    assert value(text(metrics, later), n.CONNECTOR_STATUS.name, **ONE, status="Faulted") == 1
    metrics.closed("CP1", later)
    assert value(text(metrics, later + n.OFFLINE_HORIZON_S), n.CONNECTOR_STATUS.name, **ONE, status="Faulted") == 1
    gone = text(metrics, later + n.OFFLINE_HORIZON_S + 1)
    assert value(gone, n.CONNECTOR_STATUS.name, **ONE, status="Faulted") is None
    assert value(gone, n.CONNECTOR_ERROR.name, **error) is None
    assert value(gone, n.SITE_CONNECTORS.name, site="Mainz", status="Unknown") == 1
    metrics.opened("CP1", "ocpp1.6", later + 5000)
    assert value(text(metrics, later + 5001), n.CONNECTOR_ERROR.name, **error) == 1


def test_an_error_is_exposed_only_while_reported() -> None:
    """NoError removes the error series; Faulted without a code is still an error."""
    metrics = fleet()
    metrics.reported("CP1", "1", "Faulted", NOW, None)
    assert value(text(metrics), n.CONNECTOR_ERROR.name, **ONE, error_code="Unknown") == 1
    metrics.reported("CP1", "1", "Available", NOW, "NoError")
    assert not [key for key in samples(text(metrics)) if key[0] == n.CONNECTOR_ERROR.name]


def test_a_live_value_is_dropped_when_not_refreshed() -> None:
    """Power is shown up to its horizon, then absent, then shown again when it is said again."""
    metrics = fleet()
    row = metrics.row("CP1", "1")
    metrics.power.put(row, 7400.0, NOW)
    assert value(text(metrics, NOW + n.LIVE_HORIZON_S), n.CONNECTOR_POWER.name, **ONE) == 7400
    assert value(text(metrics, NOW + n.LIVE_HORIZON_S + 1), n.CONNECTOR_POWER.name, **ONE) is None
    metrics.power.put(row, 7400.0, NOW + 5000)
    assert value(text(metrics, NOW + 5001), n.CONNECTOR_POWER.name, **ONE) == 7400


def test_values_of_a_transaction_end_with_it() -> None:
    """When a transaction ends, its power, current and energy vanish at once; the register stays."""
    metrics = fleet()
    row = metrics.row("CP1", "1")
    current = metrics.column(m.CURRENT, "L1")
    assert current is not None
    metrics.started(row, NOW)
    for column, number in ((metrics.power, 11e3), (current, 16.0), (metrics.session_energy, 5.0), (metrics.energy, 99.0)):
        column.put(row, number, NOW)
    assert value(text(metrics), n.SITE_TRANSACTIONS.name, site="Mainz") == 1
    assert value(text(metrics), n.CONNECTOR_CURRENT.name, **ONE, phase="L1") == 16
    metrics.ended(row)
    shown = {name for name, labels in samples(text(metrics)) if ("connector", "1") in labels}
    assert shown == {n.CONNECTOR_ENERGY.name}
    assert value(text(metrics), n.SITE_TRANSACTIONS.name, site="Mainz") == 0


def test_zero_is_a_value() -> None:
    """A measured zero is exposed as 0, unlike a value that is not known."""
    metrics = fleet()
    metrics.power.put(metrics.row("CP1", "1"), 0.0, NOW)
    assert value(text(metrics), n.CONNECTOR_POWER.name, **ONE) == 0


def test_state_of_charge_is_a_ratio() -> None:
    """Percent as measured becomes a ratio as Prometheus wants it."""
    metrics = fleet()
    metrics.soc.put(metrics.row("CP1", "1"), 57.0, NOW)
    assert value(text(metrics), n.CONNECTOR_SOC.name, **ONE) == 0.57


def test_unphased_and_phased_values_are_series_of_one_family() -> None:
    """A family is written in one block, whatever the phases and the order in which they appeared."""
    metrics = fleet()
    for phase in ("L2", "", "L1"):
        column = metrics.column(m.VOLTAGE, phase)
        assert column is not None
        column.put(metrics.row("CP1", "1"), 230.0, NOW)
    assert text(metrics).count(b"# TYPE chargewatch_connector_voltage_volts gauge") == 1
    assert value(text(metrics), n.CONNECTOR_VOLTAGE.name, **ONE, phase="L2") == 230
    assert value(text(metrics), n.CONNECTOR_VOLTAGE.name, **ONE) == 230


@pytest.mark.parametrize(
    ("measurand", "qualifier"), [("Frequency", ""), (m.CURRENT, "L9"), (m.POWER, "L1"), (m.TEMPERATURE, "Roof")]
)
def test_what_is_not_shown_has_no_column(measurand: str, qualifier: str) -> None:
    """Measurands and phases outside of the families are not exposed, so that a charge point cannot invent series."""
    assert fleet().column(measurand, qualifier) is None


def test_sums_by_site_model_and_firmware() -> None:
    """The pre-aggregated families count charge points, connections, statuses and power of each group."""
    metrics = fleet()
    for number in range(3):
        charge_point = f"CP{number}"
        metrics.opened(charge_point, "ocpp1.6", NOW)
        metrics.booted(charge_point, "Alfen", "Eve", f"1.{number // 2}", NOW)
        metrics.reported(charge_point, "1", "Charging" if number else "Available", NOW)
        metrics.power.put(metrics.row(charge_point, "1"), 1000.0 * number, NOW)
    metrics.closed("CP2", NOW)
    shown = text(metrics)
    assert value(shown, n.SITE_POINTS.name, site="Mainz") == 3
    assert value(shown, n.SITE_CONNECTED.name, site="Mainz") == 2
    assert value(shown, n.SITE_POWER.name, site="Mainz") == 3000
    assert value(shown, n.MODEL_CONNECTORS.name, vendor="Alfen", model="Eve", status="Charging") == 2
    assert value(shown, n.FIRMWARE_POINTS.name, vendor="Alfen", model="Eve", firmware="1.0") == 2
    assert value(shown, n.FIRMWARE_CONNECTED.name, vendor="Alfen", model="Eve", firmware="1.1") == 0
    assert value(shown, n.POINT_INFO.name, site="Mainz", charge_point="CP2", vendor="Alfen", model="Eve", firmware="1.1",
                 protocol="ocpp1.6") == 1  # fmt: skip


def test_seeded_statuses_are_there_before_the_charge_point_is() -> None:
    """After a restart the last known status is on show, for the offline horizon, and the charge point counts as not connected."""
    metrics = fleet()
    statuses = {"1": ("Charging", None), "2": ("Faulted", "HighTemperature")}
    metrics.seed("CP1", now=NOW, vendor="Alfen", model="Eve", statuses=statuses)
    assert value(text(metrics), n.CONNECTOR_STATUS.name, **ONE, status="Charging") == 1
    assert value(text(metrics), n.POINT_CONNECTED.name, site="Mainz", charge_point="CP1") == 0
    assert value(text(metrics, NOW + n.OFFLINE_HORIZON_S + 1), n.CONNECTOR_STATUS.name, **ONE, status="Charging") is None


def test_a_charge_point_that_moves_takes_its_series_along() -> None:
    """After `place`, all series carry the new site and none the old one."""
    sites = {"CP1": "Mainz"}
    metrics = FleetMetrics(lambda charge_point_id: sites[charge_point_id])
    metrics.reported("CP1", "1", "Available", NOW)
    metrics.power.put(metrics.row("CP1", "1"), 5.0, NOW)
    text(metrics)
    sites["CP1"] = "Ulm"
    metrics.place("CP1")
    shown = samples(text(metrics))
    assert {dict(labels)["site"] for _, labels in shown if dict(labels).get("site")} == {"Ulm"}
    assert value(text(metrics), n.CONNECTOR_POWER.name, site="Ulm", charge_point="CP1", connector="1") == 5


def test_a_forgotten_charge_point_leaves_nothing_and_its_rows_are_used_again() -> None:
    """After `forget` no series names it, and a new charge point in its rows inherits no value."""
    metrics = fleet()
    metrics.booted("CP1", "Alfen", "Eve", "1.0", NOW)
    metrics.reported("CP1", "1", "Available", NOW)
    metrics.energy.put(metrics.row("CP1", "1"), 9.0, NOW)
    text(metrics)
    metrics.forget("CP1")
    assert b"CP1" not in text(metrics)
    assert b"Eve" not in text(metrics)
    metrics.reported("CP2", "1", "Available", NOW)
    shown = {name for name, labels in samples(text(metrics)) if ("connector", "1") in labels}
    assert shown == {n.CONNECTOR_STATUS.name}


def test_boots_are_counted() -> None:
    """Each boot notification counts one."""
    metrics = fleet()
    for _ in range(3):
        metrics.booted("CP1", "Alfen", "Eve", "1.0", NOW)
    assert value(text(metrics), n.POINT_BOOTS.name, site="Mainz", charge_point="CP1") == 3


def test_words_are_bounded() -> None:
    """A charge point that invents words without end gets the overflow word, and memory stays bounded."""
    interner = Interner(3, label("x", "other"))
    numbers = [interner.number(label("x", str(word))) for word in range(10)]
    assert len(interner.words) == 3
    assert interner.words[numbers[9]] == b'x="other"'
    assert interner.words[numbers[0]] == b'x="0"'


def test_long_label_values_are_cut() -> None:
    """A label value of a kilobyte does not reach the exposition whole."""
    assert len(label("vendor", "x" * 1000)) < 150


def test_the_last_scrape_is_counted() -> None:
    """`series` is the number of lines of charge points and connectors in the last scrape."""
    metrics = fleet()
    metrics.reported("CP1", "1", "Available", NOW)
    metrics.power.put(metrics.row("CP1", "1"), math.pi, NOW)
    shown = samples(text(metrics))
    assert metrics.series == len([key for key in shown if ("charge_point", "CP1") in key[1]])


async def test_render_lets_others_run() -> None:
    """Between two slices of a scrape the event loop serves other tasks."""
    metrics = fleet()
    for number in range(50):
        metrics.reported(f"CP{number}", "1", "Available", NOW)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(other())
        body = await metrics.render(NOW)
        task.cancel()
    assert body == text(metrics)
    assert turns > 20
