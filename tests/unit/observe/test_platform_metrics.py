"""The platform's own metrics: counted by method, exposed by Prometheus' client."""

from __future__ import annotations

import math
import re

import pytest

from chargenet.errors import StoreUnavailable
from chargenet.observe import names as n
from chargenet.observe.platform import MAX_LABEL_SETS, Buckets, PlatformMetrics
from tests.support.exposition import samples, value


def everything() -> PlatformMetrics:
    """One of everything that can happen."""
    metrics = PlatformMetrics("1.2.3")
    metrics.call_handled("ocpp1.6", "Heartbeat", 0.0004)
    metrics.call_handled("ocpp1.6", "Foo", 0.004, "NotImplemented")
    metrics.command_ended("Reset", "accepted", 1.5)
    metrics.connection_opened("ocpp1.6", 1)
    metrics.connection_opened("ocpp1.6", 1)
    metrics.connection_closed("ocpp1.6", 1, "lost")
    metrics.upgrade_refused("unknown")
    metrics.login_refused()
    metrics.frame_deviated("missing-unit")
    metrics.frame_refused(None)
    metrics.frame_repeated("StartTransaction")
    metrics.quarantined("unknown transaction")
    metrics.security_event("TamperDetectionActivated")
    metrics.journal_committed(40, 0.003)
    metrics.loop_lagged(0.002)
    metrics.api_answered("GET", "/api/v1/charge-points", 200, 0.01)
    metrics.log_suppressed()
    metrics.fleet_rendered(300, 0.1)
    journal = (n.JOURNAL_SEQUENCE, n.JOURNAL_PENDING, n.JOURNAL_BYTES, n.JOURNAL_HEALTHY)
    for family in (*journal, n.LOOP_LAG_MAX, n.DISK_FREE, n.DISK_SIZE):
        metrics.watch(family, lambda: 1.0)
    for family in (n.PROJECTION_BEHIND, n.PROJECTION_LAG, n.TELEMETRY_WRITTEN, n.TELEMETRY_REJECTED, n.TELEMETRY_EXPIRED):
        metrics.watch(family, lambda: 2.0, "telemetry")
    for family in (n.PROGRAM_BEHIND, n.PROGRAM_REACHES):
        metrics.watch(family, lambda: 1.0, "alerts")
    metrics.watch(n.SOCKETS, lambda: 3.0, "timed_out")
    return metrics


def test_every_platform_family_can_be_set() -> None:
    """Each family named in names.py is exposed once its thing happens: no name without a source."""
    text = everything().text().decode()
    assert {found for found in re.findall(r"^# TYPE (\S+)", text, re.M) if not found.startswith("chargewatch_process")} == {
        family.name for family in n.PLATFORM
    }


def test_calls_are_counted_and_timed() -> None:
    """A handled call counts in calls and in its histogram; only a call error counts as one."""
    text = everything().text()
    assert value(text, "chargewatch_calls_total", protocol="ocpp1.6", action="Heartbeat") == 1
    assert value(text, "chargewatch_call_handling_seconds_bucket", protocol="ocpp1.6", action="Heartbeat", le="0.0005") == 1
    assert value(text, "chargewatch_call_handling_seconds_bucket", protocol="ocpp1.6", action="Heartbeat", le="0.00025") == 0
    assert value(text, "chargewatch_call_errors_total", protocol="ocpp1.6", action="Foo", error_code="NotImplemented") == 1
    assert value(text, "chargewatch_call_errors_total", protocol="ocpp1.6", action="Heartbeat", error_code="") is None


def test_open_connections_go_up_and_down() -> None:
    """The gauge is connections opened minus closed."""
    assert value(everything().text(), "chargewatch_connections", protocol="ocpp1.6", security_profile="1") == 1


def test_a_gauge_that_nobody_sets_is_absent() -> None:
    """Absent is not zero: a journal that nobody watches is neither healthy nor ill."""
    names = {name for name, _ in samples(PlatformMetrics("1").text())}
    assert "chargewatch_journal_healthy" not in names
    assert "chargewatch_logins_refused_total" in names


def test_a_watched_value_that_is_not_available_is_nan() -> None:
    """When the outside does not answer, the scrape shows NaN instead of failing or of an old number."""
    metrics = PlatformMetrics("1")

    def read() -> float:
        raise StoreUnavailable("sql", "gone")

    metrics.watch(n.PROJECTION_LAG, read, "stations")
    shown = value(metrics.text(), "chargewatch_projection_lag_seconds", projection="stations")
    assert shown is not None
    assert math.isnan(shown)


def test_a_defect_in_a_watched_value_is_not_hidden() -> None:
    """Any other exception of a watched value reaches the caller."""
    metrics = PlatformMetrics("1")
    metrics.watch(n.JOURNAL_PENDING, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        metrics.text()


def test_watch_takes_the_labels_of_the_family() -> None:
    """A wrong number of labels is refused at once."""
    with pytest.raises(ValueError, match="projection"):
        PlatformMetrics("1").watch(n.PROJECTION_LAG, lambda: 0.0)


def test_label_sets_are_bounded() -> None:
    """However many actions a charge point invents, the families stay bounded, and nothing goes uncounted."""
    metrics = PlatformMetrics("1")
    for number in range(MAX_LABEL_SETS + 50):
        metrics.call_handled("ocpp1.6", f"Action{number}", 0.001, "NotImplemented")
        metrics.security_event(f"type {number}")
    shown = samples(metrics.text())
    calls = [found for (name, _), found in shown.items() if name == "chargewatch_calls_total"]
    assert len(calls) == MAX_LABEL_SETS + 1
    assert sum(calls) == MAX_LABEL_SETS + 50
    assert value(metrics.text(), "chargewatch_security_events_total", type="other") == 50


def test_buckets_are_cumulative() -> None:
    """An observation on a bound counts in that bound's bucket, as Prometheus defines it."""
    buckets = Buckets((0.1, 1.0))
    for seconds in (0.1, 0.5, 7.0):
        buckets.observe(seconds)
    assert buckets.cumulative() == [("0.1", 1.0), ("1.0", 2.0), ("+Inf", 3.0)]


def test_the_process_itself_is_exposed() -> None:
    """Memory and CPU of the process are there, under the product's name."""
    text = PlatformMetrics("1").text()
    assert (value(text, "chargewatch_process_resident_memory_bytes") or 0) > 1_000_000
