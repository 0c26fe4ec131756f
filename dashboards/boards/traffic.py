"""Board 9, OCPP traffic: do charge points and platform understand each other? Rate, errors and latency by action."""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.boards.common import BLUE, GREEN, MARKS, ORANGE, RED, ZERO_IS_BEST, graph, or_zero, quantile
from dashboards.spec import Board, Column, Kind, Panel, Query, Row, Unit

ERRORS = or_zero(f"sum(rate({n.CALL_ERRORS.name}[$__rate_interval]))", f"rate({n.CALLS.name}[$__rate_interval])")

ROWS = (
    Row((
        Panel(
            id=1, kind=Kind.STAT, title="Connections", description="Open connections of charge points.",
            queries=(Query(f"sum({n.CONNECTIONS.name})"),), colours=((None, BLUE),), spark=True, width=5, height=4,
        ),
        Panel(
            id=2, kind=Kind.STAT, title="Calls answered", description="Calls of charge points that we answered, per second.",
            queries=(Query(f"sum(rate({n.CALLS.name}[$__rate_interval]))"),),
            unit=Unit.PER_SECOND, colours=((None, BLUE),), decimals=1, spark=True, width=5, height=4,
        ),
        Panel(
            id=3, kind=Kind.STAT, title="Answered with an error",
            description="Share of their calls that we answered with a call error.",
            queries=(
                Query(
                    f"({ERRORS})"
                    f" / sum(rate({n.CALLS.name}[$__rate_interval]))"
                ),
            ),
            unit=Unit.RATIO, decimals=2, colours=((None, GREEN), (0.01, ORANGE), (0.05, RED)), spark=True, width=5, height=4,
        ),
        Panel(
            id=4, kind=Kind.STAT, title="99 % answered within",
            description="From the arrival of a call to its durable answer.",
            queries=(Query(quantile(0.99, n.CALL_HANDLING)),),
            unit=Unit.SECONDS, colours=((None, GREEN), (0.5, ORANGE), (2.5, RED)), spark=True, width=5, height=4,
        ),
        Panel(
            id=5, kind=Kind.STAT, title="Quarantined",
            description="Reports in the chosen time range that could not be matched and were set aside.",
            queries=(Query(or_zero(f"sum(increase({n.QUARANTINED.name}[$__range]))", n.JOURNAL_HEALTHY.name)),),
            decimals=0, colours=ZERO_IS_BEST, width=4, height=4,
        ),
    )),
    Row((
        graph(
            6, "Calls by action", "Calls of charge points, by action.",
            Query(f"sum by (action) (rate({n.CALLS.name}[$__rate_interval]))", legend="{{action}}"),
            unit=Unit.PER_SECOND, stacked=True, height=10,
        ),
        graph(
            7, "Slowest actions", "99 % of the hour before were answered within this time, by action.",
            Query(quantile(0.99, n.CALL_HANDLING, "action", hour=True), legend="{{action}}"),
            unit=Unit.SECONDS, height=10, filled=0,
        ),
        graph(
            8, "Call errors", "Calls that we answered with a call error in the hour before, by action and code.",
            Query(f"sum by (action, error_code) (increase({n.CALL_ERRORS.name}[1h]))", legend="{{action}} {{error_code}}"),
            unit=Unit.PER_HOUR, height=10, may_be_empty="no call was answered with an error",
        ),
    )),
    Row((
        graph(
            9, "Connections opened and closed", "Opened, and closed by cause, in the hour before. Lost ones broke or fell silent.",
            Query(f"sum(increase({n.CONNECTIONS_OPENED.name}[1h]))", legend="opened"),
            Query(f"sum by (cause) (increase({n.CONNECTIONS_CLOSED.name}[1h]))", legend="{{cause}}"),
            unit=Unit.PER_HOUR, line_colours=(("opened", GREEN), ("lost", RED)),
        ),
        graph(
            10, "Refused before OCPP began",
            "TCP connections by what became of them, upgrades refused and wrong passwords, in the hour before.",
            Query(
                f'sum by (outcome) (increase({n.SOCKETS.name}{{outcome!~"accepted|upgraded"}}[1h]))', legend="socket {{outcome}}"
            ),
            Query(f"sum by (reason) (increase({n.UPGRADES_REFUSED.name}[1h]))", legend="upgrade: {{reason}}"),
            Query(f"sum(increase({n.LOGINS_REFUSED.name}[1h]))", legend="wrong password"),
            unit=Unit.PER_HOUR,
        ),
        graph(
            11, "Boots",
            "Boot notifications of the whole network in the hour before. A wave of them is a power cut, a firmware or a loop.",
            Query(f'sum(increase({n.CALLS.name}{{action="BootNotification"}}[1h]))', legend="boots"),
            unit=Unit.PER_HOUR,
        ),
    )),
    Row((
        graph(
            12, "Frames that broke a rule", "Used all the same, by which rule they broke, in the hour before.",
            Query(f"sum by (quirk) (increase({n.FRAMES_DEVIATED.name}[1h]))", legend="{{quirk}}"),
            unit=Unit.PER_HOUR, may_be_empty="every frame keeps the rules",
        ),
        graph(
            13, "Frames refused or repeated",
            "Not understood as a call, by our error code, and repeated calls by action, in the hour before.",
            Query(f"sum by (error_code) (increase({n.FRAMES_REFUSED.name}[1h]))", legend="refused {{error_code}}"),
            Query(f"sum by (action) (increase({n.FRAMES_REPEATED.name}[1h]))", legend="repeated {{action}}"),
            unit=Unit.PER_HOUR, may_be_empty="none was refused or repeated",
        ),
        graph(
            14, "Set aside", "Reports that could not be matched in the hour before, by reason.",
            Query(f"sum by (reason) (increase({n.QUARANTINED.name}[1h]))", legend="{{reason}}"),
            unit=Unit.PER_HOUR, may_be_empty="every report could be matched",
        ),
    )),
    Row((
        graph(
            15, "Our commands", "Calls to charge points in the hour before, by how they ended.",
            Query(f"sum by (outcome) (increase({n.COMMANDS.name}[1h]))", legend="{{outcome}}"),
            unit=Unit.PER_HOUR, may_be_empty="no command was sent",
            line_colours=(("accepted", GREEN), ("timed_out", ORANGE), ("error", RED)),
        ),
        graph(
            16, "Time to their answer", "95 % of our calls of the hour before were answered within this time, by action.",
            Query(quantile(0.95, n.COMMAND_ANSWER, "action", hour=True), legend="{{action}}"),
            unit=Unit.SECONDS, filled=0, may_be_empty="no command was sent",
        ),
        Panel(
            id=17, kind=Kind.TABLE, title="Commands in this time",
            description="How many calls of which action ended how, in the chosen time range.",
            queries=(Query(f"sum by (action, outcome) (increase({n.COMMANDS.name}[$__range])) > 0"),),
            columns=(
                Column(field="action", title="Action"),
                Column(field="outcome", title="How it ended"),
                Column(field="Value", title="Times", decimals=0),
            ),
            sort=("Times", True), nothing="no command was sent", may_be_empty="no command was sent", width=8, height=8,
        ),
    )),
    Row((
        graph(
            18, "Connections by protocol", "Open connections by protocol and security profile (0 means no password).",
            Query(
                f"sum by (protocol, security_profile) ({n.CONNECTIONS.name})",
                legend="{{protocol}} profile {{security_profile}}",
            ),
            stacked=True, width=12,
        ),
        graph(
            19, "Security events", "In the hour before, by type, as charge points or we ourselves report them.",
            Query(f"sum by (type) (increase({n.SECURITY_EVENTS.name}[1h]))", legend="{{type}}"),
            unit=Unit.PER_HOUR, may_be_empty="no security event", width=12,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.TRAFFIC,
    title="9 · OCPP traffic",
    question="Do charge points and platform understand each other?",
    rows=ROWS,
    annotations=MARKS,
)
