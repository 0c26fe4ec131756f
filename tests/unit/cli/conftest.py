"""A platform with something of everything, served on a socket, and a way to run commands against it or against its folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargewatch.cli import run
from tests.support.api_server import Served, served


class Ended(msgspec.Struct):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """Runs commands in this process, over the API (`api`) or over the folder (`folder`)."""

    def __init__(self, running: Served, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.running, self.data, self._capsys = running, folder, capsys

    def __call__(self, *arguments: str) -> Ended:
        code = run(list(arguments))
        captured = self._capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    def api(self, *arguments: str) -> Ended:
        return self(*arguments, "--api", self.running.url, "--key", self.running.key)

    def folder(self, *arguments: str) -> Ended:
        return self(*arguments, "--data", str(self.data))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def running(data: Path) -> Iterator[Served]:
    with served(data) as found:
        yield found


@pytest.fixture
def cli(running: Served, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name in [each for each in os.environ if each.startswith("CHARGEWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(running, data, capsys)
