"""Prometheus and Alertmanager from Debian as child processes, with the product's own rules and configuration, in a hurry.

The files are those of dashboards/; only addresses and durations are others, so that a test sees in seconds what takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from alerts.kinds import KINDS
from dashboards.rules import CaseKind, RuleConfig, files
from tests.support.rules import REPOSITORY
from tests.support.servers import ChildServer, answers, free_port, require_server

PROVISIONING = REPOSITORY / "dashboards" / "provisioning"
_TIMES = {"group_wait": "1s", "group_interval": "2s", "repeat_interval": "1h"}


@contextmanager
def prometheus_and_alertmanager(folder: Path, platform_port: int, token: str, speed: float) -> Iterator[None]:
    """Both run inside this block: they scrape the platform and call it, with `token`."""
    metrics_port, alert_port = free_port(), free_port()
    rules = folder / "rules"
    rules.mkdir(parents=True)
    # Times are divided by the speed: a second. Forty lost ones are an outage of the whole network only where there are no others.
    config = RuleConfig(speed=speed, interval_s=speed, case_for_s=speed, lost_least=1000)
    kinds = [CaseKind(**{name: getattr(each, name) for name in CaseKind.__struct_fields__}) for each in KINDS.values()]
    for name, text in files(config, kinds).items():
        (rules / name).write_text(text)
    with ChildServer(
        [require_server("alertmanager"), f"--config.file={_alertmanager(folder, platform_port, token)}",
         f"--storage.path={folder / 'alerts'}", f"--web.listen-address=127.0.0.1:{alert_port}", "--cluster.listen-address="],
        folder=folder, ready=answers(f"http://127.0.0.1:{alert_port}/-/ready"),
    ), ChildServer(
        [require_server("prometheus"), f"--config.file={_prometheus(folder, platform_port, alert_port)}",
         f"--storage.tsdb.path={folder / 'samples'}", f"--web.listen-address=127.0.0.1:{metrics_port}"],
        folder=folder, ready=answers(f"http://127.0.0.1:{metrics_port}/-/ready"),
    ):  # fmt: skip
        yield


def _alertmanager(folder: Path, platform_port: int, token: str) -> Path:
    made = yaml.safe_load((PROVISIONING / "alertmanager" / "alertmanager.yml").read_text())
    _hurry(made["route"])
    (call,) = made["receivers"][0]["webhook_configs"]
    call["url"] = f"http://127.0.0.1:{platform_port}/api/v1/alerts/alertmanager"
    call["http_config"]["authorization"] = {"type": "Bearer", "credentials": token}
    return _written(folder / "alertmanager.yml", made)


def _hurry(route: dict[str, Any]) -> None:
    route.update({name: text for name, text in _TIMES.items() if name in route})
    for each in route.get("routes", ()):
        _hurry(each)


def _prometheus(folder: Path, platform_port: int, alert_port: int) -> Path:
    made = yaml.safe_load((PROVISIONING / "prometheus" / "prometheus.yml").read_text())
    made["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    made["rule_files"] = [f"{folder}/rules/*.rules.yaml"]
    made["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alert_port}"]}]}]}
    job = next(each for each in made["scrape_configs"] if each["job_name"] == "chargewatch")
    made["scrape_configs"] = [job]
    del job["authorization"]
    job["static_configs"][0]["targets"] = [f"127.0.0.1:{platform_port}"]
    return _written(folder / "prometheus.yml", made)


def _written(path: Path, made: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(made))
    return path
