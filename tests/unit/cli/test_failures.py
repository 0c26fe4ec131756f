"""How commands fail: one sentence on standard error, an exit code that means something, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chargenet.errors import ChargewatchError
from chargewatch.discovery import Running, announce, find, withdraw
from tests.unit.cli.conftest import Cli


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("charge-points", "show", "nobody"), 3),
        (("transactions", "show", "CP-1", "nothing"), 3),
        (("diagnostics", "fetch", "0" * 32, "--out", "/dev/null/x"), 3),
        (("frames", "CP-1", "--since", "yesterday"), 2),
        (("transactions", "list", "--state", "lost"), 2),
        (("nonsense",), 2),
        (("keys", "create"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_exit_codes(cli: Cli, arguments: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """2 for what was typed wrongly, 3 for what is not there; nothing on standard output."""
    monkeypatch.chdir(tmp_path)
    if arguments[:2] == ("diagnostics", "fetch"):
        arguments = (*arguments[:3], "--out", str(tmp_path / "file"))
    ended = cli.api(*arguments)
    assert (ended.code, ended.out) == (code, "") and ended.err and "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_nobody_there(cli: Cli, tmp_path: Path) -> None:
    """4 when nothing answers: no such folder, nothing listening, a change without a running platform."""
    for ended in (
        cli("charge-points", "list", "--data", str(tmp_path / "none")),
        cli("charge-points", "list", "--api", "http://127.0.0.1:1", "--key", "k"),
        cli.folder("charge-points", "block", "CP-1"),
        cli.folder("call", "CP-1", "Reset"),
    ):
        assert (ended.code, ended.out) == (4, "") and ended.err.count("\n") == 1, ended.err
    assert not (tmp_path / "none").exists()


def test_api_needs_a_key(cli: Cli) -> None:
    """--api without a key says where to put it; a wrong one is refused as usage."""
    assert "CHARGEWATCH_KEY" in cli("sites", "list", "--api", cli.running.url).err
    assert cli("sites", "list", "--api", cli.running.url, "--key", "wrong").code == 2


def test_outputs_are_never_overwritten(cli: Cli, tmp_path: Path) -> None:
    """`diagnostics fetch` refuses a file that is there already, and leaves it alone."""
    there = tmp_path / "log.zip"
    there.write_text("mine")
    assert cli.api("diagnostics", "fetch", "0" * 32, "--out", str(there)).code == 2
    assert there.read_text() == "mine"


def test_commands_find_the_running_platform(cli: Cli, data: Path) -> None:
    """With DATA/platform.json a command uses the API; when its process is gone, it reads the folder again."""
    announce(data, Running(cli.running.url, cli.running.key, os.getpid()))
    assert cli.folder("tokens", "add", "LOCAL").code == 0
    announce(data, Running(cli.running.url, cli.running.key, 2**22 - 1))
    assert cli.folder("tokens", "add", "LOCAL").code == 4 and cli.folder("tokens", "list").code == 0
    announce(data, Running("http://127.0.0.1:1", "k", os.getpid()))  # a reused process id
    assert cli.folder("tokens", "list").code == 0
    withdraw(data)
    withdraw(data)


def test_platform_json_is_private(tmp_path: Path) -> None:
    """It has mode 0600; one that others can read, or that is damaged, is refused with what to do."""
    announce(tmp_path, Running("http://127.0.0.1:1", "s3cret", os.getpid()))
    file = tmp_path / "platform.json"
    assert file.stat().st_mode & 0o777 == 0o600 and "s3cret" not in repr(find(tmp_path))
    file.chmod(0o644)
    with pytest.raises(ChargewatchError, match="chmod 600"):
        find(tmp_path)
    file.chmod(0o600)
    file.write_text("{")
    with pytest.raises(ChargewatchError, match="damaged"):
        find(tmp_path)


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "chargewatch", *arguments], capture_output=True, text=True, timeout=60
    )


def test_the_program_itself(tmp_path: Path) -> None:
    """As a process: version, help with examples, an error in one line, a pipe that is closed early."""
    assert start("--version").stdout.startswith("chargewatch ")
    assert "Example: chargewatch charge-points list" in start("charge-points", "list", "--help").stdout
    failed = start("charge-points", "list", "--data", str(tmp_path / "none"))
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (4, "", 1)
    piped = f"{sys.executable} -m chargewatch config check --data {tmp_path} | head -n 1"
    cut = subprocess.run(["/bin/bash", "-c", piped], capture_output=True, text=True, timeout=60)
    assert cut.stdout.startswith("setting") and "Traceback" not in cut.stderr
