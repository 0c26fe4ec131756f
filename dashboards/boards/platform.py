"""Board 13, the platform itself: does it keep up, does everything it is told last, and do its messages arrive?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.boards.common import (
    BLUE,
    GREEN,
    GREY,
    MARKS,
    ORANGE,
    RED,
    RELAYED,
    UP,
    UP_WORDS,
    ZERO_IS_BEST,
    graph,
    or_zero,
    quantile,
    stat,
)
from dashboards.spec import Board, Column, Kind, Panel, Query, Row, Unit


def working(id_: int, title: str, description: str, text: str) -> Panel:
    """Yes or no."""
    return stat(id_, title, description, text, colours=UP, words=UP_WORDS, width=3)


OUTSIDE = f"and on (job, instance) {n.JOURNAL_HEALTHY.name}"
"""PromQL: of the collector alone. What it passes on to a program, that counts as well."""
ROUTES = f"sum by (le, method, route) (rate({n.API_DURATION.name}_bucket[$__rate_interval]) {OUTSIDE})"

ROWS = (
    Row((
        working(1, "Scraped", "Whether Prometheus reaches every process of the platform.", 'min(up{job="chargewatch"})'),
        working(2, "Journal writes", "Whether records can be made durable now.", f"min({n.JOURNAL_HEALTHY.name})"),
        working(3, "Cases judged", "Whether facts are judged and cases stored.", f"min({n.ALERTS_WORKING.name})"),
        working(4, "Relay works", "Whether alerts are grouped and stored for delivery.", f"min({n.RELAY_WORKING.name})"),
        Panel(
            id=5, kind=Kind.STAT, title="Worst lag of a store",
            description="Age of the oldest record that some read model has not taken in yet.",
            queries=(Query(f"max({n.PROJECTION_LAG.name})"),),
            unit=Unit.SECONDS, decimals=1, colours=((None, GREEN), (30, ORANGE), (300, RED)), spark=True, width=4, height=4,
        ),
        Panel(
            id=6, kind=Kind.STAT, title="Worst lag of the loop",
            description="How late the event loop of some process woke up, at worst, in the last minute.",
            queries=(Query(f"max({n.LOOP_LAG_MAX.name})"),),
            unit=Unit.SECONDS, colours=((None, GREEN), (0.25, ORANGE), (1, RED)), spark=True, width=4, height=4,
        ),
        Panel(
            id=7, kind=Kind.STAT, title="Undelivered", description="Messages to people that are not delivered yet.",
            queries=(Query(or_zero(f"sum({n.OUTBOX_WAITING.name})", RELAYED)),), colours=ZERO_IS_BEST, width=4, height=4,
        ),
    )),
    Row((
        graph(
            8, "Records made durable", "Records and group commits per second: their ratio is how many share one wait.",
            Query(f"sum(rate({n.JOURNAL_RECORDS.name}[$__rate_interval]))", legend="records"),
            Query(f"sum(rate({n.JOURNAL_COMMITS.name}[$__rate_interval]))", legend="commits"),
            unit=Unit.PER_SECOND, line_colours=(("records", BLUE), ("commits", GREY)),
        ),
        graph(
            9, "Waiting for the disk", "Time that a group commit waited for the disk.",
            Query(quantile(0.5, n.JOURNAL_FSYNC), legend="median"),
            Query(quantile(0.99, n.JOURNAL_FSYNC), legend="99 %"),
            unit=Unit.SECONDS, filled=0,
        ),
        graph(
            10, "Size of the journal", "On disk, and records that are not durable yet.",
            Query(f"sum({n.JOURNAL_BYTES.name})", legend="size"),
            Query(f"sum({n.JOURNAL_PENDING.name})", legend="pending records"),
            unit=Unit.BYTES, second_axis=(("pending records", Unit.COUNT),), line_colours=(("pending records", ORANGE),),
        ),
    )),
    Row((
        graph(
            11, "Read models behind", "Records that a read model has not taken in yet.",
            Query(f"max by (projection) ({n.PROJECTION_BEHIND.name})", legend="{{projection}}"),
            Query(f"max({n.ALERTS_BEHIND.name})", legend="detectors"),
        ),
        graph(
            12, "Rows of telemetry",
            "Rows written per second by store, bad points that a store set aside, and points that were older than it keeps.",
            Query(f"sum by (store) (rate({n.TELEMETRY_WRITTEN.name}[$__rate_interval]))", legend="{{store}}"),
            Query(f"sum by (store) (rate({n.TELEMETRY_REJECTED.name}[$__rate_interval]))", legend="{{store}} set aside"),
            Query(f"sum by (store) (rate({n.TELEMETRY_EXPIRED.name}[$__rate_interval]))", legend="{{store}} too old"),
            unit=Unit.PER_SECOND,
        ),
        graph(
            13, "Lag of the event loop", "How late that of each process woke up: 99 % of the time, and at worst in each minute.",
            Query(quantile(0.99, n.LOOP_LAG, "instance"), legend="{{instance}} 99 %"),
            Query(f"max by (instance) ({n.LOOP_LAG_MAX.name})", legend="{{instance}} worst"),
            unit=Unit.SECONDS, filled=0,
        ),
    )),
    Row((
        graph(
            14, "API requests", "Answered per second on the port that is published, by status.",
            Query(f"sum by (status) (rate({n.API_REQUESTS.name}[$__rate_interval]) {OUTSIDE})", legend="{{status}}"),
            unit=Unit.PER_SECOND, stacked=True,
        ),
        graph(
            15, "Slowest routes", "99 % of requests on the port that is published were answered within this time.",
            Query(f"topk(8, histogram_quantile(0.99, {ROUTES}))", legend="{{method}} {{route}}"),
            unit=Unit.SECONDS, filled=0,
        ),
        graph(
            16, "Processor", "Time on it of each process, as a share of one core.",
            Query('sum by (instance) (rate(chargewatch_process_cpu_seconds_total{job="chargewatch"}[$__rate_interval]))',
                  legend="{{instance}}"),
            unit=Unit.RATIO,
        ),
    )),
    Row((
        graph(
            17, "Deliveries", "Attempts to deliver a message in the hour before, by receiver and outcome.",
            Query(f"sum by (receiver, outcome) (increase({n.ATTEMPTS.name}[1h]))", legend="{{receiver}} {{outcome}}"),
            unit=Unit.PER_HOUR, may_be_empty="nothing had to be delivered",
        ),
        Panel(
            id=18, kind=Kind.TABLE, title="Receivers",
            description="Each receiver: reachable, messages waiting, since when the oldest waits.",
            queries=(
                Query(f"min by (receiver) ({n.RECEIVER_REACHABLE.name})"),
                Query(f"sum by (receiver) ({n.OUTBOX_WAITING.name})"),
                Query(f"min by (receiver) ({n.OUTBOX_OLDEST.name}) * 1000"),
            ),
            columns=(
                Column(field="receiver", title="Receiver"),
                Column(field="Value #A", title="Reachable", colours=UP, words=UP_WORDS, width=100),
                Column(field="Value #B", title="Waiting", colours=ZERO_IS_BEST, width=90),
                Column(field="Value #C", title="Oldest", unit=Unit.SINCE, width=150),
            ),
            sort=("Receiver", False), nothing="no receiver", may_be_empty="no receiver is configured", width=8, height=8,
        ),
        graph(
            19, "The exposition itself", "Series of charge points and connectors, and the time that writing them took.",
            Query(f"max({n.FLEET_SERIES.name})", legend="series"),
            Query(f"max({n.FLEET_RENDER.name})", legend="time to write"),
            second_axis=(("time to write", Unit.SECONDS),), line_colours=(("time to write", ORANGE),),
        ),
    )),
    Row((
        Panel(
            id=20, kind=Kind.TABLE, title="Version", description="The version that runs, by instance.",
            queries=(Query(f"max by (version, instance) ({n.BUILD_INFO.name})"),),
            columns=(Column(field="instance", title="Instance"), Column(field="version", title="Version")), width=8, height=5,
        ),
        Panel(
            id=21, kind=Kind.STAT, title="Watchdog heard",
            description="Time since Alertmanager's always-firing alert came: silence means that no alert would come.",
            queries=(Query(f"time() - max({n.WATCHDOG_HEARD.name})"),), unit=Unit.SECONDS, decimals=0,
            colours=((None, GREEN), (600, ORANGE), (1800, RED)), nothing="never", may_be_empty="no Alertmanager is connected",
            width=8, height=5,
        ),
        Panel(
            id=22, kind=Kind.STAT, title="Log lines held back",
            description="Log lines in the chosen time range that were held back because their kind came too often.",
            queries=(Query(f"sum(increase({n.LOG_SUPPRESSED.name}[$__range]))"),), decimals=0,
            colours=ZERO_IS_BEST, width=8, height=5,
        ),
    )),
    Row((
        graph(
            23, "Programs behind", "Durable records of the collector that a program in a process of its own has not fetched yet.",
            Query(f"max by (program) ({n.PROGRAM_BEHIND.name})", legend="{{program}}"),
            nothing="all run with the collector",
        ),
        Panel(
            id=24, kind=Kind.TABLE, title="Programs apart",
            description="Each program in a process of its own: does it get answers from the collector, what has it not fetched?",
            queries=(Query(f"min by (program) ({n.PROGRAM_REACHES.name})"), Query(f"max by (program) ({n.PROGRAM_BEHIND.name})")),
            columns=(
                Column(field="program", title="Program"),
                Column(field="Value #A", title="Hears the collector", colours=UP, words=UP_WORDS, width=170),
                Column(field="Value #B", title="Behind", colours=((None, GREEN), (10_000, ORANGE)), width=90),
            ),
            sort=("Program", False), nothing="all run with the collector", may_be_empty="all run with the collector",
            width=8, height=8,
        ),
        graph(
            25, "Memory", "Of each process.",
            Query('max by (instance) (chargewatch_process_resident_memory_bytes{job="chargewatch"})', legend="{{instance}}"),
            unit=Unit.BYTES,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.PLATFORM,
    title="13 · Platform",
    question="Does the platform keep up, and does what it is told last?",
    rows=ROWS,
    annotations=MARKS,
)
