"""A real Grafana for tests, where somebody has one: `TEST_GRAFANA` names its home folder (`bin/grafana`, `conf`, `public`).

Debian has none, so that CI does without. It is given the files of dashboards/provisioning and the environment of
docker-compose.yml; only addresses and paths are this machine's. No browser is needed: Grafana's own server is tested.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.rules import REPOSITORY
from tests.support.servers import ChildServer, answers, free_port

GRAFANA = "TEST_GRAFANA"
BOARDS = REPOSITORY / "dashboards/provisioning/boards"
SECRETS = {"grafana_admin_password": "the-admins-password", "influx_reader_password": "the-readers-password"}


class RealGrafana:
    """A running Grafana."""

    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log

    def ask(self, path: str, body: object = None, *, token: str = "", method: str | None = None) -> tuple[int, Any]:
        """(status, answer), as the admin or with a token."""
        admin = base64.b64encode(f"admin:{SECRETS['grafana_admin_password']}".encode()).decode()
        headers = {"Authorization": f"Bearer {token}" if token else f"Basic {admin}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def token(self, role: str) -> str:
        """A new service account's."""
        _, account = self.ask("/api/serviceaccounts", {"name": role, "role": role})
        _, made = self.ask(f"/api/serviceaccounts/{account['id']}/tokens", {"name": role})
        return str(made["key"])


@contextmanager
def running_grafana(folder: Path, addresses: Mapping[str, str] | None = None) -> Iterator[RealGrafana]:
    """Start one in `folder`, an empty one without `addresses`; else provisioned, `http://influxdb:8086` → where that is."""
    home, port = Path(os.environ[GRAFANA]), free_port()
    folder.mkdir(parents=True)
    (folder / "provisioning").mkdir()
    if addresses is not None:
        _provision(folder / "provisioning", {**addresses, "/etc/grafana/boards": str(BOARDS)})
    environment = _environment() if addresses is not None else {"GF_SECURITY_ADMIN_PASSWORD": SECRETS["grafana_admin_password"]}
    for name, place in (("DATA", "data"), ("LOGS", "logs"), ("PLUGINS", "plugins"), ("PROVISIONING", "provisioning")):
        environment[f"GF_PATHS_{name}"] = str(folder / place)
    environment |= {"GF_SERVER_HTTP_ADDR": "127.0.0.1", "GF_SERVER_HTTP_PORT": str(port)}
    line = ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()), str(home / "bin/grafana"), "server"]
    url = f"http://127.0.0.1:{port}"
    ready = answers(f"{url}/api/health")
    server = ChildServer([*line, f"--homepath={home}"], folder=folder, ready=ready, timeout_s=120)
    try:
        _start(server)
        yield RealGrafana(url, server.log)
    finally:
        server.stop()


def _start(server: ChildServer) -> None:
    """Once more where it ended: the first start of a 10.0 sometimes makes its organization twice and gives up over the second."""
    try:
        server.start()
    except RuntimeError as error:
        if "default organization" not in str(error):
            raise
        server.start()


def _provision(folder: Path, replaced: Mapping[str, str]) -> None:
    shutil.copytree(REPOSITORY / "dashboards/provisioning/grafana", folder, dirs_exist_ok=True)
    for path in folder.rglob("*.yaml"):
        text = path.read_text()
        for name, value in replaced.items():
            text = text.replace(name, value)
        path.write_text(text)


def _environment() -> dict[str, str]:
    """What docker-compose.yml sets, with defaults for its variables; X__FILE is X with the file's content, as in the image."""
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    made = {}
    for name, value in services["grafana"]["environment"].items():
        text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("/etc/grafana/boards", str(BOARDS))
        if name.endswith("__FILE"):
            name, text = name.removesuffix("__FILE"), SECRETS[Path(text).name]
        made[name] = text
    return made
