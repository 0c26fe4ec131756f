"""The compose stack without Docker: the collector and the programs under the environments of their services, PostgreSQL, and
Prometheus and Alertmanager with the committed configs. Tokens open what they should, the metrics of all are read, and the dead
man's switch comes all the way round: from Prometheus through the collector's port to the relay in the process of the alerts.
"""

from __future__ import annotations

import asyncio
import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from chargewatch.rule_files import write_rules
from dashboards.rules import RuleConfig
from tests.support.compose import PROGRAMS
from tests.support.postgres import Postgres, postgres
from tests.support.rules import REPOSITORY
from tests.support.servers import ChildServer, answers, free_port, require_server
from tests.support.stack import Stack, running

__all__ = ["postgres"]

PROVISIONING = REPOSITORY / "dashboards" / "provisioning"
SPEED = 30.0
"""Rules are evaluated every second."""


@contextmanager
def monitoring(folder: Path, platform: Stack) -> Iterator[int]:
    """Prometheus and Alertmanager with the committed configs, their addresses replaced; gives Prometheus's port."""
    (folder / "rules").mkdir()
    write_rules(folder / "rules", RuleConfig(speed=SPEED))
    prometheus, alertmanager = free_port(), free_port()
    replaced = {
        "/run/secrets": str(folder), "/etc/prometheus/rules": str(folder / "rules"), "30s": "1s", "20s": "1s",
        "alertmanager:9093": f"127.0.0.1:{alertmanager}", "localhost:9090": f"127.0.0.1:{prometheus}", **platform.replaced(),
    }  # fmt: skip
    for name in ("prometheus", "alertmanager"):
        text = (PROVISIONING / name / f"{name}.yml").read_text()
        for old, new in replaced.items():
            text = text.replace(old, new)
        (folder / f"{name}.yml").write_text(text)
    with ExitStack() as stack:
        for name, port, argument in (
            ("prometheus", prometheus, "--storage.tsdb.path"), ("alertmanager", alertmanager, "--storage.path"),
        ):  # fmt: skip
            line = [
                str(require_server(name)), f"--config.file={folder / f'{name}.yml'}", f"{argument}={folder / f'{name}-data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ]  # fmt: skip
            line += ["--cluster.listen-address="] if name == "alertmanager" else []
            stack.enter_context(ChildServer(line, folder=folder, ready=answers(f"http://127.0.0.1:{port}/-/ready")))
        yield prometheus


def query(port: int, expression: str) -> list[float]:
    """The values of an instant query."""
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(url, timeout=10) as response:
        return [float(row["value"][1]) for row in json.load(response)["data"]["result"]]


async def until(asked: Callable[[], Any]) -> Any:
    """The first answer that is something, within a minute."""
    for _ in range(240):
        if answer := await asyncio.to_thread(asked):
            return answer
        await asyncio.sleep(0.25)
    raise AssertionError("never came")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.server("prometheus")
@pytest.mark.server("alertmanager")
@pytest.mark.server("postgresql")
async def test_tokens_metrics_and_the_dead_mans_switch(tmp_path: Path, postgres: Postgres) -> None:
    """All four processes are well on PostgreSQL, closed without a token, read with it; Watchdog comes to the relay."""
    with ExitStack() as stack:
        platform = await asyncio.to_thread(stack.enter_context, running(tmp_path, postgres.database()))
        for name in platform.ports:
            closed = await asyncio.to_thread(httpx.get, platform.url(name, "/metrics"))
            assert closed.status_code == 401, f"{name}: {closed.text}"
        port = await asyncio.to_thread(stack.enter_context, monitoring(tmp_path, platform))
        assert await until(lambda: len(query(port, 'up{job="chargewatch"} == 1')) == 4)
        assert await until(lambda: len(query(port, "chargewatch_program_reaches_collector == 1")) == len(PROGRAMS))
        assert await until(lambda: query(port, 'ALERTS{alertname="Watchdog",alertstate="firing"}'))
        heard = 'chargewatch_alert_watchdog_heard_timestamp_seconds{instance="alerts"}'
        assert await until(lambda: query(port, heard))
        assert query(port, "sum(increase(prometheus_rule_evaluation_failures_total[5m])) > 0") == []
        checks = {each["name"] for each in platform.api("/api/v1/health")["checks"]}
        assert {f"{name} (apart)" for name in PROGRAMS} <= checks
