"""What the demo's screen counts."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from alerts.case import Case
from alerts.finding import Evidence
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


def sick(number: int) -> Case:
    """An open case with evidence."""
    return Case(
        case_id=number, kind="zero_energy", thing=f"SIM-{number}/1", charge_point_id=f"SIM-{number}", connector="1",
        severity="warning", score=1.0, summary="4 of the last 4 attempts gave no energy", action="Go.", began_at=NOW,
        opened_at=NOW, found_at=NOW, evidence=(Evidence(what=f"evidence {number}"),),
    )  # fmt: skip


@pytest.mark.parametrize(("width", "height", "shown"), [(120, 40, 8), (100, 30, 3)])
def test_cases_and_the_whole_foot_fit_the_screen(width: int, height: int, shown: int) -> None:
    """Open cases with a line of evidence, as many as there is room for; every command of the foot to its last letter."""
    view = NetworkView(lambda _: "Mainz", lambda: [sick(number) for number in range(1, 13)])
    console = Console(width=width, height=height, record=True, file=StringIO())
    urls = [
        ("API", "http://127.0.0.1:8080/docs"),
        ("a command", "/usr/local/bin/chargewatch call SIM-0001 " + "word " * 18 + "END"),
    ]
    console.print(view.draw(urls, 0.5, width, height), height=height)
    text = console.export_text()
    assert text.count("  evidence ") == shown and f"open cases: 12, the {shown} worst of them" in text
    assert len(text.splitlines()) == height and "END" in text
