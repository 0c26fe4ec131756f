"""A real Grafana with our files: it takes them without complaint, and each panel's queries say the truth when Grafana itself asks.

Run where somebody has one (tests/conftest.py, tests/support/real_grafana.py). The page in the browser is not tested: only variables
are filled here, as that page fills them; macros, intervals and legends are Grafana's.
"""

from __future__ import annotations

import math
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from chargewatch.cli import run
from dashboards.asking import Answer, Grid, Line, offered
from dashboards.boards import BOARDS
from dashboards.lint.context import label_values
from dashboards.queries import Value, in_influxql, in_promql, promql
from tests.contract.test_boards import DASHBOARDS, IDS, PANELS, agrees, chosen
from tests.support.board_facts import facts
from tests.support.real_grafana import SECRETS, RealGrafana, running_grafana
from tests.support.rules import REPOSITORY
from tests.support.seeded_network import SCRAPE_S
from tests.support.seeded_servers import VIEW, SeededServers, seeded_servers
from tests.support.servers import ChildServer, answers, free_port, require_server

pytestmark = [pytest.mark.server("prometheus", "promtool", "influxdb", "alertmanager"), pytest.mark.timeout(300)]

UIDS = {"prometheus": "chargewatch-prometheus", "influxdb": "chargewatch-influx", "alertmanager": "chargewatch-alertmanager"}
NO_MATTER = ("provisioning.notifiers", "database is locked")
"""Grafana 10 still looks for a folder that 11 has given up; SQLite that is busy is asked again."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededServers]:
    """Prometheus and InfluxDB, filled once."""
    with seeded_servers(tmp_path_factory.mktemp("seeded")) as made:
        made.server.let_read("chargewatch", "grafana", SECRETS["influx_reader_password"])
        yield made


@pytest.fixture(scope="module")
def grafana(servers: SeededServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGrafana]:
    """Grafana before them, and before an Alertmanager."""
    folder, port = tmp_path_factory.mktemp("grafana"), free_port()
    config = REPOSITORY / "dashboards/provisioning/alertmanager/alertmanager.yml"
    line = [str(require_server("alertmanager")), f"--config.file={config}", f"--storage.path={folder}", "--cluster.listen-address="]
    alertmanager = f"http://127.0.0.1:{port}"
    with ChildServer([*line, f"--web.listen-address=127.0.0.1:{port}"], folder=folder, ready=answers(f"{alertmanager}/-/ready")):
        where = {
            "http://prometheus:9090": servers.prometheus,
            "http://influxdb:8086": servers.server.url,
            "http://alertmanager:9093": alertmanager,
            "timeInterval: 30s": f"timeInterval: {SCRAPE_S:.0f}s",
        }
        with running_grafana(folder / "grafana", where) as running:
            yield running


def test_the_files_are_taken_without_complaint(grafana: RealGrafana) -> None:
    """Nothing is wrong with them in Grafana's own log."""
    wrong = [line for line in grafana.log.read_text().splitlines() if "level=error" in line and "provisioning" in line]
    assert [line for line in wrong if not any(part in line for part in NO_MATTER)] == []


def test_data_sources_work_and_cannot_be_edited(grafana: RealGrafana) -> None:
    """By their fixed uids; Grafana asks each and is content. Alertmanager has no check: it is asked through its data source."""
    _, sources = grafana.ask("/api/datasources")
    assert {each["type"]: each["uid"] for each in sources} == UIDS
    assert all(each["readOnly"] for each in sources)
    for kind in ("prometheus", "influxdb"):
        status, said = grafana.ask(f"/api/datasources/uid/{UIDS[kind]}/health")
        assert (status, said["status"]) == (200, "OK"), said
    status, said = grafana.ask(f"/api/alertmanager/{UIDS['alertmanager']}/api/v2/status")
    assert (status, said["config"]["route"]["receiver"]) == (200, "relay"), said


def test_boards_are_there_and_cannot_be_changed(grafana: RealGrafana) -> None:
    """All of them by their uids, in our folder, as they were built; neither an editor nor the admin may save or delete one."""
    assert _found(grafana, len(DASHBOARDS)) == dict.fromkeys(DASHBOARDS, "chargewatch")
    for uid, board in DASHBOARDS.items():
        _, stored = grafana.ask(f"/api/dashboards/uid/{uid}")
        assert stored["meta"]["provisioned"]
        assert {name: value for name, value in stored["dashboard"].items() if name not in ("id", "version")} == board
    changed = {"dashboard": {**stored["dashboard"], "title": "mine"}, "folderUid": "chargewatch", "overwrite": True}
    for token in (grafana.token("Editor"), ""):
        assert grafana.ask("/api/dashboards/db", changed, token=token)[0] == 400
        assert grafana.ask(f"/api/dashboards/uid/{uid}", method="DELETE", token=token)[0] == 400


def test_the_wall_is_the_home(grafana: RealGrafana) -> None:
    """Who comes to Grafana sees the network wall."""
    _, home = grafana.ask("/api/dashboards/home")
    assert home["dashboard"]["title"] == DASHBOARDS["chargewatch-network"]["title"]


def test_alerts_of_grafanas_own_go_to_alertmanager(grafana: RealGrafana) -> None:
    """Contact point and policy are those of the file."""
    _, points = grafana.ask("/api/v1/provisioning/contact-points")
    assert ("chargewatch relay", "prometheus-alertmanager") in {(each["name"], each["type"]) for each in points}
    _, policy = grafana.ask("/api/v1/provisioning/policies")
    assert (policy["receiver"], policy["provenance"]) == ("chargewatch relay", "file")


def test_the_contact_point_reaches_the_relays_alertmanager(grafana: RealGrafana) -> None:
    """Grafana's own test of it is an alert in the real Alertmanager, for the receiver that is our relay."""
    _, [point] = grafana.ask("/api/v1/provisioning/contact-points?name=chargewatch%20relay")
    config = {name: point[name] for name in ("uid", "name", "type", "settings", "disableResolveMessage")}
    body = {"receivers": [{"name": point["name"], "grafana_managed_receiver_configs": [config]}]}
    status, said = grafana.ask("/api/alertmanager/grafana/config/api/v1/receivers/test", body)
    assert status == 200, said
    _, alerts = grafana.ask(f"/api/alertmanager/{UIDS['alertmanager']}/api/v2/alerts")
    assert [(each["labels"]["alertname"], each["receivers"][0]["name"]) for each in alerts] == [("TestAlert", "relay")]


@pytest.mark.parametrize(
    ("uid", "name"),
    [(uid, each["name"]) for uid, board in DASHBOARDS.items() for each in board["templating"]["list"] if each["type"] == "query"],
)
def test_a_variable_offers_the_same(grafana: RealGrafana, servers: SeededServers, uid: str, name: str) -> None:
    """As when Prometheus is asked for it directly."""
    board = DASHBOARDS[uid]
    variable = next(each for each in board["templating"]["list"] if each["name"] == name)
    values = chosen(board, "faulted", servers.network)
    found = label_values(variable)
    assert found is not None
    asked = {"match[]": promql(found[0], VIEW, values), "start": f"{VIEW.start:.0f}", "end": f"{VIEW.end:.0f}"}
    path = f"/api/datasources/uid/{UIDS['prometheus']}/resources/api/v1/label/{found[1]}/values"
    status, said = grafana.ask(f"{path}?{urllib.parse.urlencode(asked)}")
    assert (status, sorted(said["data"])) == (200, offered(variable, VIEW, values, servers.sources))
    assert said["data"]


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=IDS)
def test_a_panel_says_what_is_so(grafana: RealGrafana, servers: SeededServers, uid: str, panel: dict[str, Any]) -> None:
    """Asked by Grafana, each query gives the same truth as asked by us."""
    for letter, expected in facts(servers.network)[uid, panel["id"]]:
        wanted, _, choice = letter.partition("@")
        [target] = [each for each in panel["targets"] if each["refId"] == wanted]
        answer = _asked(grafana, panel["type"], target, chosen(DASHBOARDS[uid], choice or "faulted", servers.network))
        problem = agrees(panel["type"], answer, expected)
        assert problem is None, f"{panel['title']}, {letter}: {problem}"


def test_boards_can_be_pushed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To a Grafana without files, by an Editor: a dry run writes nothing, a push all, a second one nothing; a Viewer may not."""
    with running_grafana(tmp_path / "grafana") as empty:
        files = {}
        for role in ("Editor", "Viewer"):
            files[role] = tmp_path / role
            files[role].write_text(empty.token(role))
        (tmp_path / "wrong").write_text("glsa_wrong")
        for what, options in (("created", ["--dry-run"]), ("created", []), ("unchanged", [])):
            assert _push(empty, files["Editor"], *options, "--json") == 0
            assert capsys.readouterr().out.count(f'"{what}"') == len(BOARDS)
        assert _found(empty, len(DASHBOARDS)) == dict.fromkeys(DASHBOARDS, "chargewatch")
        _, stored = empty.ask("/api/dashboards/uid/chargewatch-site")
        changed = {"dashboard": {**stored["dashboard"], "title": "mine"}, "folderUid": "chargewatch", "overwrite": True}
        assert empty.ask("/api/dashboards/db", changed)[0] == 200
        assert _push(empty, files["Viewer"]) == 1
        assert "403: You'll need additional permissions" in (said := capsys.readouterr().err) and "role Editor" in said
        assert _push(empty, tmp_path / "wrong") == 1
        assert "401" in capsys.readouterr().err
        assert _push(empty, files["Editor"], "--json") == 0
        assert capsys.readouterr().out.count('"updated"') == 1


def _found(grafana: RealGrafana, count: int) -> dict[str, str]:
    """Board → its folder, as the search finds them. It answers while files are still being read, which is tried each minute."""
    deadline = time.monotonic() + 150
    while True:
        _, found = grafana.ask("/api/search?type=dash-db&limit=1000")
        if len(found) >= count or time.monotonic() > deadline:
            return {each["uid"]: each["folderUid"] for each in found}
        time.sleep(0.2)


def _push(grafana: RealGrafana, token: Path, *options: str) -> int:
    return run(["dashboards", "push", "--url", grafana.url, "--token-file", str(token), *options])


def _asked(grafana: RealGrafana, kind: str, target: Mapping[str, Any], values: Mapping[str, Value]) -> Answer:
    """The answer to one query of a panel, as /api/ds/query gives it."""
    source = target["datasource"]["type"]
    text, fill = ("query", in_influxql) if source == "influxdb" else ("expr", in_promql)
    body = {
        **target,
        text: _with_variables(target[text], {name: fill(value) for name, value in values.items()}),
        "datasource": {"type": source, "uid": UIDS[source]},
        "intervalMs": VIEW.interval_ms,
        "maxDataPoints": VIEW.points,
    }
    span = {"from": str(round(VIEW.start * 1000)), "to": str(round(VIEW.end * 1000))}
    status, said = grafana.ask("/api/ds/query", {"queries": [body], **span})
    assert status == 200, (said, body)
    frames = [frame for frame in said["results"][target["refId"]]["frames"] if frame["schema"]["fields"]]
    if kind == "table":
        return Grid(_rows(frames, source))
    return [_line(frame, target) for frame in frames]


def _with_variables(text: str, values: Mapping[str, str]) -> str:
    """Variables filled, macros left to Grafana."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda found: values.get(found[1] or found[2], found[0]), text)


def _line(frame: Mapping[str, Any], target: Mapping[str, Any]) -> Line:
    value = frame["schema"]["fields"][1]
    times, values = frame["data"]["values"]
    labels = {name: text for name, text in value.get("labels", {}).items() if name != "__name__"}
    given = value.get("config", {}).get("displayNameFromDS", "")
    auto = target.get("legendFormat") == "__auto"
    name = ", ".join(labels.values()) or "Value" if auto else given
    return Line(name, labels, [at / 1000 for at in times], [math.nan if one is None else float(one) for one in values])


def _rows(frames: Sequence[Mapping[str, Any]], source: str) -> list[dict[str, str | float]]:
    """Prometheus: a frame is a row. InfluxDB: a frame is a column (10), or all of them are one frame (later)."""
    if source == "prometheus":
        lines = [_line(frame, {"legendFormat": "__auto"}) for frame in frames]
        return [{"Time": line.times[-1] * 1000, **line.labels, "Value": line.values[-1]} for line in lines]
    columns: dict[str, list[Any]] = {}
    for frame in frames:
        for field, values in zip(frame["schema"]["fields"], frame["data"]["values"], strict=True):
            name = field.get("config", {}).get("displayNameFromDS") or field["name"]
            columns["Time" if field["type"] == "time" else name.rsplit(".", 1)[-1]] = values
    rows = zip(*columns.values(), strict=True)
    return [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
