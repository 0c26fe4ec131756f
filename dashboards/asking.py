"""Panels' questions put to Prometheus and InfluxDB over HTTP, as Grafana does. Decided here: how an answer becomes lines or rows.

Proves boards and draws previews where there is no Grafana. Blocking. Answers are bounded by the servers' limits and by a timeout.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from chargenet.errors import StoreUnavailable
from dashboards.lint.context import label_values
from dashboards.queries import Value, View, influxql, promql

TIMEOUT_S = 30.0


class Line(msgspec.Struct, frozen=True):
    """One line of a graph: times in seconds since the epoch, values (NaN where there is none)."""

    name: str
    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float]

    @property
    def last(self) -> float:
        """The last value that is a number; NaN without one."""
        return next((value for value in reversed(self.values) if not math.isnan(value)), math.nan)


class Grid(msgspec.Struct, frozen=True):
    """A table: rows as column → text, number, or time in milliseconds."""

    rows: Sequence[Mapping[str, str | float]]


Answer = list[Line] | Grid


class Sources:
    """Where the data are. `influx` is None where no telemetry store is asked. `database` is the InfluxQL database (the bucket)."""

    def __init__(self, prometheus: str, influx: str | None = None, database: str = "chargewatch", token: str = "") -> None:
        self.prometheus, self.influx, self.database = prometheus.rstrip("/"), influx and influx.rstrip("/"), database
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._http = httpx.Client(timeout=TIMEOUT_S, headers=headers)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def instant(self, text: str, at: float) -> list[Line]:
        """An instant query."""
        return [_line(row["metric"], [row["value"]]) for row in self._ask("query", {"query": text, "time": repr(at)})["result"]]

    def over_time(self, text: str, view: View) -> list[Line]:
        """A range query, start and end aligned to the step."""
        step = view.interval_ms / 1000
        start, end = (math.floor(at / step) * step for at in (view.start, view.end))
        asked = {"query": text, "start": repr(start), "end": repr(end), "step": repr(step)}
        return [_line(row["metric"], row["values"]) for row in self._ask("query_range", asked)["result"]]

    def values_of(self, selector: str, label: str, view: View) -> list[str]:
        """What label_values(selector, label) offers."""
        asked = {"match[]": selector, "start": repr(view.start), "end": repr(view.end)}
        return [str(value) for value in self._ask(f"label/{label}/values", asked, "GET")]

    def influxql(self, text: str) -> list[dict[str, Any]]:
        """The series of an InfluxQL answer, times in milliseconds."""
        if self.influx is None:
            raise StoreUnavailable("InfluxDB", "no address was given")
        parameters = {"db": self.database, "q": text, "epoch": "ms"}
        answer = self._send("InfluxDB", "GET", f"{self.influx}/query", parameters)
        [result] = answer["results"]
        if "error" in result:
            raise StoreUnavailable("InfluxDB", f"{result['error']}: {text}")
        found: list[dict[str, Any]] = result.get("series", [])
        return found

    def _ask(self, path: str, parameters: dict[str, str], method: str = "POST") -> Any:
        answer = self._send("Prometheus", method, f"{self.prometheus}/api/v1/{path}", parameters)
        if answer["status"] != "success":
            raise StoreUnavailable("Prometheus", f"{answer.get('error')}: {parameters}")
        return answer["data"]

    def _send(self, store: str, method: str, url: str, parameters: dict[str, str]) -> Any:
        form = {"params": parameters} if method == "GET" else {"data": parameters}
        try:
            response = self._http.request(method, url, **form)  # type: ignore[arg-type]  # one of the two forms
            if response.status_code >= 500 or not response.headers.get("content-type", "").startswith("application/json"):
                raise StoreUnavailable(store, f"{url}: {response.status_code} {response.text[:200]}")
            return response.json()
        except httpx.HTTPError as error:
            raise StoreUnavailable(store, f"{url}: {error}") from error


def ask(panel: Mapping[str, Any], view: View, chosen: Mapping[str, Value], sources: Sources) -> list[Answer]:
    """The answer to each query of a panel, in order."""
    return [_answer(panel["type"], target, view, chosen, sources) for target in panel.get("targets", [])]


def offered(variable: Mapping[str, Any], view: View, chosen: Mapping[str, Value], sources: Sources) -> list[str]:
    """The values that a query variable offers, sorted. Raises ValueError on a question that is not label_values."""
    found = label_values(variable)
    if found is None:
        raise ValueError(f"the variable {variable['name']} does not ask for label_values")
    return sorted(sources.values_of(promql(found[0], view, chosen), found[1], view))


def _answer(kind: str, target: Mapping[str, Any], view: View, chosen: Mapping[str, Value], sources: Sources) -> Answer:
    if target["datasource"]["type"] == "influxdb":
        series = sources.influxql(influxql(target["query"], view, chosen))
        return Grid(list(_rows(series))) if kind == "table" else list(_influx_lines(series, target.get("alias", "")))
    text = promql(target["expr"], view, chosen)
    lines = sources.instant(text, view.end) if target.get("instant") else sources.over_time(text, view)
    if kind == "table":
        return Grid([{"Time": view.end * 1000, **line.labels, "Value": line.last} for line in lines])
    return [_named(line, target.get("legendFormat", "")) for line in lines]


def _line(labels: Mapping[str, str], values: Sequence[tuple[float, str]]) -> Line:
    shown = {name: value for name, value in labels.items() if name != "__name__"}
    return Line("", shown, [float(at) for at, _ in values], [float(value) for _, value in values])


def _named(line: Line, legend: str) -> Line:
    name = "" if legend == "__auto" else re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: line.labels.get(found[1], ""), legend)
    return msgspec.structs.replace(line, name=name or ", ".join(line.labels.values()) or "Value")


def _rows(series: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str | float]]:
    for each in series:
        for values in each.get("values", []):
            row = dict(zip(each["columns"], values, strict=True))
            row["Time"] = row.pop("time")
            yield {**each.get("tags", {}), **{name: value for name, value in row.items() if value is not None}}


def _influx_lines(series: Sequence[Mapping[str, Any]], alias: str) -> Iterator[Line]:
    for each in series:
        tags: Mapping[str, str] = each.get("tags", {})
        for number, column in enumerate(each["columns"][1:], 1):
            filled = re.sub(r"\$tag_(\w+)", lambda found, tags=tags: tags.get(found[1], ""), alias)  # type: ignore[misc]
            name = filled.replace("$col", column) or column
            values = [math.nan if row[number] is None else float(row[number]) for row in each["values"]]
            yield Line(name, tags, [row[0] / 1000 for row in each["values"]], values)
