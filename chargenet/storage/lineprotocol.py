"""InfluxDB line protocol, by hand and pure. Decided here: the schema (measurements, tags, fields, times) and how text is escaped.

    meter,charge_point=,connector=,phase=,location=,context= <measurand>_<unit>=…,sequence=…i,received_at_us=…i time
    status | error | connection | security | diagnostics,charge_point=,connector= value="",detail="",sequence=…i,at_us=…i,… time

Every point of a measurement carries all its tags (InfluxDB 3 fixes a table's tags for ever), `-` where there is nothing to say;
no tag has a field's name; no transaction id or token is a tag. Times are nanoseconds: the instant of points.py, which has
microseconds; state changes use up to a millisecond more to keep those of one instant apart and in order, and carry `at_us`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import isfinite
from sys import intern
from typing import NamedTuple
from urllib.parse import quote, unquote

from chargenet.events import Fact, MeasurementsTaken
from chargenet.model.measurement import Measurement
from chargenet.model.record import microseconds
from chargenet.ports import StateChange
from chargenet.storage.points import cut, ordered_at_us, state_changes

METER = "meter"
STATE_KINDS = ("status", "error", "connection", "security", "diagnostics")
METER_TAGS = ("charge_point", "connector", "phase", "location", "context")

NOTHING = "-"
"""The tag value that stands for an empty one, which line protocol does not have."""

SiteOf = Callable[[str], str | None]
"""Charge point → site, for an additional tag `site`."""

_MEASURANDS = """
Current.Export Current.Import Current.Offered Frequency Power.Factor Power.Offered RPM SoC Temperature Voltage
Current.Export.Offered Current.Export.Minimum Current.Import.Offered Current.Import.Minimum Voltage.Minimum Voltage.Maximum
Energy.Active.Export.Register Energy.Active.Import.Register Energy.Reactive.Export.Register Energy.Reactive.Import.Register
Energy.Active.Export.Interval Energy.Active.Import.Interval Energy.Reactive.Export.Interval Energy.Reactive.Import.Interval
Energy.Active.Net Energy.Reactive.Net Energy.Apparent.Net Energy.Apparent.Import Energy.Apparent.Export
Energy.Active.Import.CableLoss Energy.Active.Import.LocalGeneration.Register Energy.Active.Setpoint.Interval
EnergyRequest.Target EnergyRequest.Minimum EnergyRequest.Maximum EnergyRequest.Minimum.V2X EnergyRequest.Maximum.V2X
EnergyRequest.Bulk Power.Active.Export Power.Active.Import Power.Reactive.Export Power.Reactive.Import Power.Active.Setpoint
Power.Active.Residual Power.Export.Minimum Power.Export.Offered Power.Import.Offered Power.Import.Minimum
Display.PresentSOC Display.MinimumSOC Display.TargetSOC Display.MaximumSOC Display.RemainingTimeToMinimumSOC
Display.RemainingTimeToTargetSOC Display.RemainingTimeToMaximumSOC Display.ChargingComplete Display.BatteryEnergyCapacity
Display.InletHot
""".split()  # noqa: SIM905 - a list literal of these is 60 lines
"""Those of OCPP 1.6, 2.0.1 and 2.1; the schema must not change with a library's version, so they are written here."""
_UNITS = ("Wh", "W", "A", "V", "VA", "var", "varh", "VAh", "Celsius", "Percent", "Hertz", "RPM", "Hz", "K", "")


def _snake(measurand: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|\.", "_", measurand).lower() if measurand != "SoC" else "soc"


_NAMED = {
    (measurand, unit): "_".join(part for part in (_snake(measurand), unit.lower()) if part)
    for measurand in _MEASURANDS
    for unit in _UNITS
}
_MEANT = {name: meaning for meaning, name in _NAMED.items()}


@lru_cache(maxsize=4096)
def field_name(measurand: str, unit: str) -> str:
    """`energy_active_import_register_wh` for what the standard names, `vendor.Name[unit]` for all else; never two for one name."""
    named = _NAMED.get((measurand, unit))
    if named is not None:
        return named
    return f"vendor.{quote(cut(measurand), safe='')}[{quote(cut(unit), safe='')}]"


def field_meaning(name: str) -> tuple[str, str] | None:
    """Inverse of `field_name`: (measurand, unit), or None for a field that is no measurand."""
    if found := re.fullmatch(r"vendor\.([^\[]*)\[([^\]]*)\]", name):
        return unquote(found[1]), unquote(found[2])
    return _MEANT.get(name)


def tag_text(value: str) -> str:
    """The value of a tag as it is stored: percent-encoded where line protocol has no sure way to say it, `-` for nothing."""
    if not value:
        return NOTHING
    if value == NOTHING:
        return "%2D"
    return re.sub(r"[\x00-\x1f\x7f%\\]", lambda found: f"%{ord(found[0]):02X}", value)


def tag_value(text: str) -> str:
    """Inverse of `tag_text`."""
    return "" if text == NOTHING else unquote(text)


def escaped(text: str) -> str:
    """Stored tag text → line protocol."""
    return text.replace(",", r"\,").replace("=", r"\=").replace(" ", r"\ ")


def quoted(text: str) -> str:
    """The value of a string field."""
    body = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{body}"'


Kind = tuple[str, str | None, str, str, str]
"""Measurand, phase, location, context, unit."""


Place = tuple[str, str, str | None]
"""Charge point, connector, site."""


def _site_tag(site: str | None) -> str:
    return "" if site is None else f",site={escaped(tag_text(cut(site)))}"


class Liner:
    """Facts → lines. Keeps the finished tags and field of each series it has seen, within a bound."""

    MAX_SERIES = 1_000_000

    def __init__(self, site_of: SiteOf | None = None) -> None:
        self._site_of = site_of
        self._series: dict[Place, dict[Kind, tuple[str, str]]] = {}
        self._count = 0

    def lines(self, fact: Fact) -> Iterator[str]:
        """The lines of one fact, in order."""
        told = False
        for ordinal, event in enumerate(fact.events):
            if type(event) is MeasurementsTaken:
                yield from self._meter(fact, event, ordinal)
            else:
                told = True
        if told:
            for ordinal, state in enumerate(state_changes(fact)):
                yield self._state(state, ordinal)

    def _meter(self, fact: Fact, event: MeasurementsTaken, ordinal: int) -> list[str]:
        charge_point = fact.charge_point_id
        place = (charge_point, event.connector.label if event.connector else "", self._site(charge_point))
        known = self._series.get(place) or {}
        groups: dict[str, dict[str, float]] = {}
        for m in event.measurements:
            if isfinite(m.value):
                head, name = known.get((m.measurand, m.phase, m.location, m.context, m.unit)) or self._learn(place, m)
                fields = groups.get(head)
                if fields is None:
                    fields = groups[head] = {}
                fields[name] = m.value
        if not groups:
            return []
        rest = self._rest(fact, event, ordinal)
        values = (",".join([f"{name}{value!r}" for name, value in fields.items()]) for fields in groups.values())
        return [f"{head}{text}{rest}" for head, text in zip(groups, values, strict=True)]

    @staticmethod
    def _rest(fact: Fact, event: MeasurementsTaken, ordinal: int) -> str:
        """What all lines of an event have in common after their values: evidence, clocks and the time."""
        received_us = microseconds(fact.received_at)
        device_us = None if event.measured_at is None else microseconds(event.measured_at)
        at_us = ordered_at_us(device_us, received_us, ordinal)
        device = "" if device_us is None or device_us == at_us else f",measured_at_us={device_us}i"
        transaction = "" if event.transaction_id is None else f",transaction_id={quoted(cut(event.transaction_id))}"
        return f",sequence={fact.sequence}i,received_at_us={received_us}i{device}{transaction} {at_us}000"

    def _learn(self, place: Place, m: Measurement) -> tuple[str, str]:
        """The text before a value: measurement and tags, and the name of the field."""
        labels = (*place[:2], *(cut(label) for label in (m.phase or "", m.location, m.context)))
        tags = ",".join(f"{name}={escaped(tag_text(label))}" for name, label in zip(METER_TAGS, labels, strict=True))
        if self._count >= self.MAX_SERIES:
            self._series.clear()
            self._count = 0
        self._count += 1
        texts = intern(f"{METER},{tags}{_site_tag(place[2])} "), f"{field_name(m.measurand, m.unit)}="
        self._series.setdefault(place, {})[m.measurand, m.phase, m.location, m.context, m.unit] = texts
        return texts

    def _site(self, charge_point: str) -> str | None:
        """Asked each time: a charge point may be given a site while we run. None where there is no such tag."""
        return None if self._site_of is None else self._site_of(charge_point) or ""

    def _state(self, state: StateChange, ordinal: int) -> str:
        at_us = microseconds(state.at)
        tags = f"charge_point={escaped(tag_text(state.charge_point))},connector={escaped(tag_text(state.connector))}"
        fields = f"value={quoted(state.value)},detail={quoted(state.detail)},sequence={state.sequence}i"
        clocks = f"at_us={at_us}i,received_at_us={microseconds(state.received_at)}i"
        apart_ns = (state.sequence * 16 + ordinal) % 1_000_000
        return f"{state.kind},{tags}{_site_tag(self._site(state.charge_point))} {fields},{clocks} {at_us * 1000 + apart_ns}"


class Line(NamedTuple):
    """A line taken apart. Tags are stored text; fields are as written (`1.5`, `7i`, `"text"`)."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, str]
    time_ns: int


def parsed(line: str) -> Line:
    """Take a line of ours apart. Raises ValueError on one that is not well formed."""
    head, rest = _split(line, " ")
    body, time = rest.rsplit(" ", 1)
    measurement, *tags = _parts(head, quotes=False)
    return Line(
        measurement,
        {_unescaped(name): _unescaped(value) for name, value in (_split(tag, "=") for tag in tags)},
        {_unescaped(name): value for name, value in (_split(field, "=") for field in _parts(body, quotes=True))},
        int(time),
    )


def one_per_field(line: str) -> list[str]:
    """A line of several fields → as many lines of one field each, so that one bad field does not take the others with it."""
    head, rest = _split(line, " ")
    body, time = rest.rsplit(" ", 1)
    return [f"{head} {field} {time}" for field in _parts(body, quotes=True)]


def _split(text: str, separator: str) -> tuple[str, str]:
    """At the first separator that is not escaped."""
    found = re.match(rf"((?:\\.|[^\\{separator}])*){separator}", text, re.DOTALL)
    if found is None:
        raise ValueError(f"no {separator!r} in {text[:80]!r}")
    return found[1], text[found.end() :]


def _parts(text: str, *, quotes: bool) -> list[str]:
    """At every comma that is neither escaped nor in a quoted string."""
    string = r'"(?:\\.|[^"\\])*"|' if quotes else ""
    plain = r'[^\\,"]' if quotes else r"[^\\,]"
    return re.findall(rf"(?:^|,)((?:\\.|{string}{plain})*)", text, re.DOTALL)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)
