"""What somebody types wrongly on the first day is answered with a sentence that says what to do, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from chargewatch.discovery import Running, announce
from tests.unit.cli.conftest import Cli


def test_rebuild_without_a_journal(cli: Cli, tmp_path: Path) -> None:
    """A folder that is not the platform's is refused, not made."""
    ended = cli("rebuild", "--data", str(tmp_path / "typo"))
    assert ended.code == 1 and "there is no journal in" in ended.err and "--data DIR" in ended.err
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_data_folder_that_cannot_be_made(cli: Cli, tmp_path: Path, where: str) -> None:
    """`up` on a file, or below one: exit code 2 and the path."""
    (tmp_path / "file").touch()
    ended = cli("up", "--data", str(tmp_path / where))
    assert ended.code == 2 and f"data_dir: {tmp_path / where} " in ended.err and "Traceback" not in ended.err


def test_an_address_that_is_a_number(cli: Cli, tmp_path: Path) -> None:
    """`ocpp = 9000` in the file: what was expected, with an example."""
    file = tmp_path / "chargewatch.toml"
    file.write_text("[collector]\nocpp = 9000\n")
    ended = cli("config", "check", "--config", str(file))
    assert ended.code == 2 and "collector.ocpp: is 9000, expected HOST:PORT, for example" in ended.err


def test_a_platform_that_does_not_answer(cli: Cli, tmp_path: Path) -> None:
    """One that is there and silent is not called stopped: a second `up` on its folder would be the wrong advice."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        announce(tmp_path, Running(api=address, key="k", pid=os.getpid()))
        ended = cli("call", "CP-1", "Reset", "--data", str(tmp_path))
    assert ended.code == 4 and "does not answer at" in ended.err and "chargewatch up" not in ended.err


def test_an_empty_file_of_tokens(cli: Cli, tmp_path: Path) -> None:
    """It is said which columns the first line names."""
    (tmp_path / "cards.csv").touch()
    ended = cli.api("tokens", "import", str(tmp_path / "cards.csv"))
    assert ended.code == 2 and "is empty" in ended.err and "value,kind,status" in ended.err


def test_remarks_are_one_line_each(cli: Cli, tmp_path: Path) -> None:
    """What is wrong with line 2 of a CSV is on one line, however long: `grep` and editors read it."""
    file = tmp_path / ("long-" * 20 + ".csv")
    file.write_text("value,kind\n04FF,BOGUS\n")
    ended = cli.api("tokens", "import", str(file))
    assert ended.code == 1 and ended.err.splitlines()[0].startswith(f"{file}:2: ") and len(ended.err.splitlines()) == 2


def test_defaults_are_in_the_help(cli: Cli) -> None:
    """Brackets are markup to whoever draws the help: a default must not be taken for it."""
    assert "[default: 127.0.0.1:9000]" in cli("up", "--help").out
    assert "[default: at Ctrl-C]" in cli("simulate", "--help").out
