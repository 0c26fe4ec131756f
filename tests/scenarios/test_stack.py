"""The compose stack without Docker: the platform under the environment of its service, PostgreSQL, and Prometheus and Alertmanager
with the committed configs. Tokens open what they should, metrics are read, and the dead man's switch comes all the way round.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from chargewatch import health
from chargewatch.rule_files import write_rules
from dashboards.rules import RuleConfig
from tests.support.compose import platform_environment, services
from tests.support.platform import RunningPlatform
from tests.support.postgres import Postgres, postgres
from tests.support.rules import REPOSITORY
from tests.support.servers import ChildServer, answers, free_port, require_server

__all__ = ["postgres"]

PROVISIONING = REPOSITORY / "dashboards" / "provisioning"
SPEED = 30.0
"""Rules are evaluated every second."""


@contextmanager
def monitoring(folder: Path, platform: RunningPlatform) -> Iterator[int]:
    """Prometheus and Alertmanager with the committed configs, their addresses replaced; gives Prometheus's port."""
    (folder / "rules").mkdir()
    write_rules(folder / "rules", RuleConfig(speed=SPEED))
    prometheus, alertmanager = free_port(), free_port()
    replaced = {
        "/run/secrets": str(folder), "/etc/prometheus/rules": str(folder / "rules"), "30s": "1s", "20s": "1s",
        "chargewatch:8080": f"127.0.0.1:{platform.http_port}", "alertmanager:9093": f"127.0.0.1:{alertmanager}",
        "localhost:9090": f"127.0.0.1:{prometheus}",
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
async def test_tokens_metrics_and_the_dead_mans_switch(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the service's variables the platform is ready on PostgreSQL, closed without a token, read with it, told by Watchdog."""
    given = platform_environment(tmp_path) | {
        "CHARGEWATCH_CONFIG": str(REPOSITORY / "deploy" / "config" / "chargewatch.toml"),
        "CHARGEWATCH_SQL_URL": postgres.database(),
        "CHARGEWATCH_HTTP_OPEN_PROBES": "false",  # as where it does not listen on loopback
    }
    for name, value in given.items():
        if "INFLUX" not in name:
            monkeypatch.setenv(name, value)
    assert "CHARGEWATCH_DATA_DIR" in os.environ
    platform = RunningPlatform(tmp_path / "data")
    await asyncio.to_thread(platform.start)
    try:
        base, token = f"http://127.0.0.1:{platform.http_port}", tmp_path / "probe_token"
        words = services()["chargewatch"]["healthcheck"]["test"][3:]
        assert words[-2:] == ["http://127.0.0.1:8080/readyz", "/run/secrets/probe_token"]
        assert await asyncio.to_thread(health.main, [f"{base}/readyz", str(token)]) == 0
        assert (await asyncio.to_thread(httpx.get, f"{base}/metrics")).status_code == 401
        with monitoring(tmp_path, platform) as port:
            assert await until(lambda: query(port, 'up{job="chargewatch"} == 1')) == [1.0]
            assert await until(lambda: query(port, 'ALERTS{alertname="Watchdog",alertstate="firing"}'))
            heard = "chargewatch_alert_watchdog_heard_timestamp_seconds"
            assert await until(lambda: query(port, heard))
            assert query(port, "sum(increase(prometheus_rule_evaluation_failures_total[5m])) > 0") == []
    finally:
        await asyncio.to_thread(platform.stop)
