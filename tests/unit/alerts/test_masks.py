"""Planned work: what it hides, what it does not, and until when."""

from __future__ import annotations

import msgspec

from alerts.finding import Finding
from alerts.maintenance import Window
from alerts.masks import mask
from chargenet import events as e
from tests.support.facts import at
from tests.support.tale import HOUR, OPENED, Tale, answered, boot, said, sent

WINDOW = Window(
    window_id=7, site_id="mall", begins_at=at(100), ends_at=at(200), reason="new cables", created_by="eva", created_at=at(0)
)


def finding(
    kind: str = "offline", charge_point_id: str | None = "CP1", connector: str | None = None, group: str | None = None
) -> Finding:
    return Finding(
        kind=kind,
        charge_point_id=charge_point_id,
        connector=connector,
        group=group,
        severity="warning",
        score=1.0,
        began_at=at(0),
        summary="",
        evidence=(),
        action="",
    )


def masked(tale: Tale, kind: str, seconds: float, connector: str | None = None) -> str | None:
    return mask(finding(kind, connector=connector), at(seconds), point=tale.point(), site_id=None, windows=())


def test_a_window_hides_everything_at_its_site() -> None:
    """Of the site itself and of its charge points, from its begin to its end; not at other sites."""
    for each in (finding(), finding("safety_fault"), finding("site_offline", None, group="site:mall")):
        reason = mask(each, at(150), point=None, site_id="mall", windows=[WINDOW])
        assert reason == "maintenance window 7 at site mall until 2026-03-01 00:03 UTC: new cables"
        assert mask(each, at(99), point=None, site_id="mall", windows=[WINDOW]) is None
        assert mask(each, at(200), point=None, site_id="mall", windows=[WINDOW]) is None
        assert mask(each, at(150), point=None, site_id="park", windows=[WINDOW]) is None


def test_a_window_of_a_charge_point_hides_that_one() -> None:
    """And no other; nor after somebody ended it."""
    window = msgspec.structs.replace(WINDOW, site_id=None, charge_point_id="CP1")
    assert mask(finding(), at(150), point=None, site_id="mall", windows=[window]) is not None
    assert mask(finding(charge_point_id="CP2"), at(150), point=None, site_id="mall", windows=[window]) is None
    over = msgspec.structs.replace(window, ended_at=at(120))
    assert mask(finding(), at(150), point=None, site_id="mall", windows=[over]) is None


def updating(status: str = "accepted", retrieve_date: str | None = None) -> Tale:
    tale = Tale()
    tale.tell(0, OPENED, boot("1.0"))
    tale.tell(10, sent("UpdateFirmware", location="https://x/y", retrieveDate=retrieve_date))
    tale.tell(11, answered("UpdateFirmware", status=status))
    return tale


def test_an_update_in_flight_hides_what_it_looks_like() -> None:
    """Silence and reboots; never that it failed, nor a fault that can hurt; two hours at most."""
    tale = updating()
    reason = masked(tale, "offline", 20)
    assert reason == "firmware update ordered at 2026-03-01 00:00 UTC (record 2)"
    assert masked(tale, "reboot_loop", 20) is not None
    assert masked(tale, "firmware_failed", 20) is None and masked(tale, "safety_fault", 20) is None
    assert masked(tale, "offline", 10 + 2 * HOUR) is None


def test_an_update_begins_when_we_said() -> None:
    """From its retrieval time on."""
    tale = updating(retrieve_date="2026-03-01T03:00:00Z")
    assert masked(tale, "offline", 20) is None
    assert masked(tale, "offline", 3 * HOUR) is not None
    assert masked(tale, "offline", 5 * HOUR) is None


def test_idle_before_an_update_begins_does_not_end_it() -> None:
    """Asked for its status at noon, a charge point that updates at night says Idle."""
    tale = updating(retrieve_date="2026-03-01T03:00:00Z")
    tale.tell(60, e.FirmwareStatusReported(status="Idle"))
    assert masked(tale, "offline", 3 * HOUR) is not None


def test_an_update_that_ended_hides_no_longer() -> None:
    """A quarter of an hour after its end; a refused one never did."""
    tale = updating()
    tale.tell(600, e.FirmwareStatusReported(status="Installed"))
    assert masked(tale, "offline", 600 + 899) is not None
    assert masked(tale, "offline", 600 + 900) is None
    assert masked(updating("rejected"), "offline", 20) is None


def test_what_we_took_out_of_service_may_be_unavailable() -> None:
    """Its connector, or all of them by the charge point; until we bring it back; a dangerous fault is told of all the same."""
    tale = Tale()
    tale.tell(0, OPENED)
    tale.tell(1, sent("ChangeAvailability", connectorId=1, type="Inoperative"))
    tale.tell(2, answered("ChangeAvailability"), said("Unavailable"), said("Unavailable", 2))
    assert masked(tale, "stuck_unavailable", HOUR, "1") == "we took it out of service at 2026-03-01 00:00 UTC (record 2)"
    assert masked(tale, "stuck_unavailable", HOUR, "2") is None and masked(tale, "safety_fault", HOUR, "1") is None
    tale.tell(3, sent("ChangeAvailability", evse={"id": 2}, operationalStatus="Inoperative"))
    tale.tell(4, answered("ChangeAvailability"))
    assert masked(tale, "stuck_unavailable", HOUR, "2") is not None
    tale.tell(5, sent("ChangeAvailability", connectorId=1, type="Operative"))
    tale.tell(6, answered("ChangeAvailability"))
    assert masked(tale, "stuck_unavailable", HOUR, "1") is None
    tale.tell(7, sent("ChangeAvailability", connectorId=0, type="Inoperative"))
    tale.tell(8, answered("ChangeAvailability"))
    assert masked(tale, "stuck_unavailable", HOUR, "1") is not None


def test_an_order_that_was_refused_or_unanswered_hides_nothing() -> None:
    """It may not be in force."""
    for status in ("rejected", "error", "timed_out", "not_connected"):
        tale = Tale()
        tale.tell(1, sent("ChangeAvailability", connectorId=1, type="Inoperative"))
        tale.tell(2, answered("ChangeAvailability", status=status), said("Unavailable"))
        assert masked(tale, "stuck_unavailable", HOUR, "1") is None
