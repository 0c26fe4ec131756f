"""docker-compose.yml as data, with its variables filled as Compose fills them, and the environment it gives the platform."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.rules import REPOSITORY

FILE = REPOSITORY / "docker-compose.yml"
EXAMPLE = REPOSITORY / ".env.example"
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def example() -> dict[str, str]:
    """The variables of .env.example."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def variables() -> set[str]:
    """Every variable that the compose file asks for."""
    return {match[0] for match in _VARIABLE.findall(FILE.read_text())}


def compose(environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The file, with `environment` (None: that of .env.example) filled in."""
    given = example() if environment is None else environment

    def fill(match: re.Match[str]) -> str:
        name, how, text = match.groups()
        value = given.get(name, "")
        if not value and how == "?":
            raise ValueError(text)
        return value or (text if how == "-" else "")

    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(fill, FILE.read_text()))
    return loaded


def services() -> dict[str, dict[str, Any]]:
    """Every service by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


PROGRAMS = ("alerts", "firmware", "billing")
"""The services that are one program in a process of its own each."""


def platform_environment(folder: Path, service: str = "collector") -> dict[str, str]:
    """What a service of the platform is given, its secrets as files in `folder`: only those that the service has."""
    definition = services()[service]
    given = {name: str(value) for name, value in definition["environment"].items()}
    for name, value in given.items():
        if value.startswith("/run/secrets/"):
            path = folder / value.rpartition("/")[2]
            assert path.name in definition["secrets"], f"{service} has no secret {path.name}, which {name} names"
            path.write_text(f"secret-{path.name}-of-the-test\n")
            given[name] = str(path)
    return given
