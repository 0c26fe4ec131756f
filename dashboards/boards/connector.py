"""Board 4, one connector: what happened at this plug? State, power against what was offered, register, temperature, errors."""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import links, uids
from dashboards.boards.common import (
    BLUE,
    CHARGE_POINT,
    CONNECTOR,
    EVIDENCE,
    GREY,
    JUDGED,
    MARKS,
    ORANGE,
    RED,
    SITE,
    STATUS_WORDS,
    WEB,
    ZERO_IS_BEST,
    or_zero,
    status_codes,
)
from dashboards.spec import INFLUX, Board, Column, Kind, Panel, Query, Row, Unit

HERE = 'site="$site", charge_point="$charge_point", connector="$connector"'
IN_INFLUX = "\"charge_point\" = '$charge_point' AND \"connector\" = '$connector' AND $timeFilter"
NOBODY_CHARGED = "nobody charged in this time, or the charge point does not measure it"


def measured(field: str, legend: str, *by: str, function: str = "mean") -> Query:
    """One field of the telemetry store over time, by tags."""
    groups = ", ".join(["time($__interval)", *(f'"{tag}"' for tag in by)])
    return Query(f'SELECT {function}("{field}") FROM "meter" WHERE {IN_INFLUX} GROUP BY {groups} fill(null)', legend, INFLUX)


STATE = Panel(
    id=1,
    kind=Kind.STATES,
    title="State",
    description="What the connector said of itself. No bar where that is not known any more.",
    queries=(Query(status_codes(HERE), legend="state"),),
    unit=Unit.STATE,
    words=STATUS_WORDS,
    width=16,
    height=4,
)
ENERGY_NOW = Panel(
    id=2,
    kind=Kind.STAT,
    title="This transaction",
    description="Energy of the running transaction.",
    queries=(Query(f"max({n.CONNECTOR_SESSION_ENERGY.name}{{{HERE}}})"),),
    unit=Unit.WATT_HOUR,
    decimals=1,
    colours=((None, BLUE),),
    nothing="none runs",
    may_be_empty="no transaction runs",
    width=4,
    height=4,
)
CASES_NOW = Panel(
    id=3,
    kind=Kind.STAT,
    title="Open cases",
    description="Cases about this connector that somebody should hear of.",
    queries=(Query(or_zero(f"count({n.CASE.name}{{{HERE}}})", JUDGED)),),
    colours=ZERO_IS_BEST,
    width=4,
    height=4,
    link=links.CASES,
)
POWER = Panel(
    id=4,
    kind=Kind.GRAPH,
    title="Power against what was offered",
    description="Power drawn, and power offered. Far below the offer with a car that is not nearly full: derated.",
    queries=(measured("power_active_import_w", "drawn"), measured("power_offered_w", "offered")),
    unit=Unit.WATT,
    width=12,
    height=9,
    line_colours=(("drawn", BLUE), ("offered", GREY)),
    may_be_empty=NOBODY_CHARGED,
)
REGISTER = Panel(
    id=5,
    kind=Kind.GRAPH,
    title="Energy register",
    description="The meter's lifetime register. It may only rise; flat while power is drawn means a frozen meter.",
    queries=(measured("energy_active_import_register_wh", "register", function="last"),),
    unit=Unit.WATT_HOUR,
    width=12,
    height=9,
    filled=0,
    from_zero=False,
    may_be_empty=NOBODY_CHARGED,
)
TEMPERATURE = Panel(
    id=6,
    kind=Kind.GRAPH,
    title="Temperature",
    description="Temperature by where it is measured. Most connectors derate between 70 and 90 °C.",
    queries=(Query(f"max by (location) ({n.CONNECTOR_TEMPERATURE.name}{{{HERE}}})", legend="{{location}}"),),
    unit=Unit.CELSIUS,
    colours=((None, "green"), (70, ORANGE), (90, RED)),
    threshold_lines=True,
    filled=0,
    width=8,
    height=8,
    may_be_empty=NOBODY_CHARGED,
)
CURRENT = Panel(
    id=7,
    kind=Kind.GRAPH,
    title="Current and voltage",
    description="By phase. A phase that carries nothing while the others do is a broken contact or a car that needs only one.",
    queries=(
        Query(f"max by (phase) ({n.CONNECTOR_CURRENT.name}{{{HERE}}})", legend="{{phase}}"),
        Query(f"avg({n.CONNECTOR_VOLTAGE.name}{{{HERE}}})", legend="voltage"),
    ),
    unit=Unit.AMPERE,
    second_axis=(("voltage", Unit.VOLT),),
    line_colours=(("voltage", GREY),),
    width=8,
    height=8,
    may_be_empty=NOBODY_CHARGED,
)
SOC = Panel(
    id=8,
    kind=Kind.GRAPH,
    title="State of charge",
    description="Of the vehicle, where it says so. Above 80 % a car itself takes less power.",
    queries=(Query(f"max({n.CONNECTOR_SOC.name}{{{HERE}}})", legend="state of charge"),),
    unit=Unit.RATIO,
    least=0,
    most=1,
    width=8,
    height=8,
    may_be_empty=NOBODY_CHARGED,
)
ERROR_NOW = Panel(
    id=9,
    kind=Kind.TABLE,
    title="Error now",
    description="The error that the connector reports now, with the vendor's code.",
    queries=(Query(f"max by (error_code, vendor_error_code) ({n.CONNECTOR_ERROR.name}{{{HERE}}})"),),
    columns=(Column(field="error_code", title="Error"), Column(field="vendor_error_code", title="Vendor's code")),
    nothing="no error",
    may_be_empty="it reports none",
    width=8,
    height=8,
)
STATES = Panel(
    id=10,
    kind=Kind.TABLE,
    title="What it said",
    description="Every status it reported, newest first, from the telemetry store.",
    queries=(Query(f'SELECT "value", "detail" FROM "status" WHERE {IN_INFLUX} ORDER BY time DESC LIMIT 100', source=INFLUX),),
    columns=(
        Column(field="Time", title="When", width=180),
        Column(field="value", title="Status", width=140),
        Column(field="detail", title="Detail"),
    ),
    sort=("When", True),
    width=8,
    height=8,
    nothing="no report",
    may_be_empty="nothing changed in this time",
)
ERRORS = Panel(
    id=11,
    kind=Kind.TABLE,
    title="Errors it reported",
    description="Newest first, from the telemetry store.",
    queries=(Query(f'SELECT "value", "detail" FROM "error" WHERE {IN_INFLUX} ORDER BY time DESC LIMIT 100', source=INFLUX),),
    columns=(
        Column(field="Time", title="When", width=180),
        Column(field="value", title="Error", width=170),
        Column(field="detail", title="Detail"),
    ),
    sort=("When", True),
    width=8,
    height=8,
    nothing="no error",
    may_be_empty="it reported none in this time",
)
FRAMES = Panel(
    id=12,
    kind=Kind.TEXT,
    title="The evidence",
    description="How to read the frames behind these pictures.",
    text=EVIDENCE,
    width=24,
    height=4,
)

BOARD = Board(
    uid=uids.CONNECTOR,
    title="4 · Connector",
    question="What happened at this connector?",
    variables=(SITE, CHARGE_POINT, CONNECTOR, WEB),
    rows=(
        Row((STATE, ENERGY_NOW, CASES_NOW)),
        Row((POWER, REGISTER)),
        Row((TEMPERATURE, CURRENT, SOC)),
        Row((ERROR_NOW, STATES, ERRORS)),
        Row((FRAMES,)),
    ),
    annotations=MARKS,
)
