"""What the demo's screen counts."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model import measurement as m
from chargenet.model.ids import ConnectorRef
from chargewatch.demo.view import NetworkView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = ConnectorRef(1)


def view_of(*events: Event) -> NetworkView:
    view = NetworkView(lambda _: "Mainz")
    for sequence, event in enumerate(events, 1):
        view.apply(Fact(sequence, NOW, "CP", 1, "ocpp1.6", "", (event,)))
    return view


def power(watts: float, register_wh: float) -> Event:
    values = (m.Measurement(m.POWER, watts, "W"), m.Measurement(m.ENERGY_REGISTER, register_wh, "Wh"))
    return e.MeasurementsTaken(connector=ONE, transaction_id="1", measured_at=NOW, measurements=values)


OPENED = e.ConnectionOpened(remote="127.0.0.1")
CHARGING = e.StatusReported(connector=ONE, status="Charging", raw_status="Charging")


def test_power_and_energy_come_from_what_was_measured() -> None:
    """Energy is the difference of registers, so that a lifetime counter does not count as delivered."""
    view = view_of(OPENED, CHARGING, power(11_000, 500_000), power(11_000, 500_250))
    assert view.total_power_kw == 11.0
    assert view.energy_wh == 250.0


def test_a_lost_charge_point_delivers_nothing_and_is_offline() -> None:
    """Its connectors count as Offline, whatever they said last."""
    gone = e.ConnectionClosed(code=1006, reason="", lost=True)
    view = view_of(OPENED, CHARGING, power(11_000, 1), gone)
    assert view.total_power_kw == 0.0
    assert dict(view.by_status()) == {"Offline": 1}


def test_both_forms_are_drawn() -> None:
    """The plain line and the screen name what matters."""
    view = view_of(OPENED, CHARGING, e.TransactionStarted(transaction_id="7", connector=ONE, started_at=NOW))
    assert "1/1" in view.line(0.5) and "1 Charging" in view.line(0.5) and "1 open" in view.line(0.5)
    console = Console(width=150, height=40, record=True, file=StringIO())
    console.print(view.draw([("API", "http://x")], 0.5))
    text = console.export_text()
    assert "Mainz" in text and "transaction 7 started" in text and "http://x" in text
