"""`chargewatch dashboards push` against a server holding requests to Grafana's documented HTTP API. A real one: test_grafana.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chargewatch.cli import run
from dashboards.boards import BOARDS
from dashboards.push import FOLDER_UID
from tests.support.grafana import TOKEN, FakeGrafana, grafana


@pytest.fixture
def there() -> Iterator[FakeGrafana]:
    """An empty Grafana."""
    with grafana() as server:
        yield server


def push(there: FakeGrafana, folder: Path, *options: str, token: str = TOKEN) -> int:
    """Run the command; its exit code."""
    file = folder / "token"
    file.write_text(f"{token}\n")
    return run(["dashboards", "push", "--url", there.url, "--token-file", str(file), *options])


@pytest.mark.parametrize("absent", [403, 404], ids=["an Editor's token", "an Admin's token"])
def test_every_board_arrives_once(there: FakeGrafana, tmp_path: Path, absent: int) -> None:
    """The folder is made, each board written into it, and a second push writes nothing."""
    there.absent = absent
    assert push(there, tmp_path) == 0
    assert (set(there.boards), set(there.folder_of.values())) == ({board.uid for board in BOARDS}, {FOLDER_UID})
    written = there.writes()
    assert push(there, tmp_path) == 0
    assert (there.writes(), there.faults) == (written, [])
    assert written == len(BOARDS) + 1


def test_what_was_changed_by_hand_is_put_right(there: FakeGrafana, tmp_path: Path) -> None:
    """A board that was edited, and one that was moved to another folder, are written again; the others are not."""
    push(there, tmp_path)
    there.boards["chargewatch-site"]["title"] = "mine"
    there.folder_of["chargewatch-cases"] = "elsewhere"
    before = there.writes()
    assert push(there, tmp_path) == 0
    assert there.writes() - before == 2
    assert there.boards["chargewatch-site"]["title"] == "2 · Site"
    assert there.boards["chargewatch-site"]["version"] == 2


def test_a_dry_run_writes_nothing(there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what would be done."""
    assert push(there, tmp_path, "--dry-run", "--json") == 0
    assert (there.writes(), there.boards, there.folders) == (0, {}, {})
    assert capsys.readouterr().out.count('"created"') == len(BOARDS)


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, '{"message": "bad uid"}', "400: bad uid"),
        (503, "", "503"),
        (200, "<html>", "the answer is not JSON; is this where Grafana is?"),
    ],
)
def test_a_refusal_is_one_sentence(
    there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int, body: str, sentence: str
) -> None:
    """It names the address and what to do, and never the token."""
    there.failing = (status, body)
    assert push(there, tmp_path) != 0
    said = capsys.readouterr().err
    assert said.startswith(f"chargewatch: {there.url}/api/folders/{FOLDER_UID}")
    assert sentence in said and TOKEN not in said


@pytest.mark.parametrize("body", ['{"message": "Permissions needed: folders:create."}', "{}", "no"])
def test_a_token_that_may_not_write_is_told(
    there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    """At the first write, with Grafana's own words: what is forbidden to read may as well not exist."""
    there.failing = (403, body)
    assert push(there, tmp_path) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"chargewatch: {there.url}/api/folders: 403: ")
    assert said.endswith(": the token must be of a service account with role Editor\n")
    assert ("folders:create: the token" in said) is ("folders" in body) and ": :" not in said


def test_a_wrong_token_is_told(there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As what it is."""
    assert push(there, tmp_path, token="wrong") == 1
    assert "role Editor" in capsys.readouterr().err


def test_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 4, as for everything that cannot be reached."""
    with grafana() as gone:
        pass
    assert push(gone, tmp_path) == 4
    assert "is this where Grafana is?" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "two words", "glsa_\N{EM DASH}"], ids=["nothing", "two words", "no ASCII"])
def test_a_file_that_holds_no_token(there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Is told before anything is asked, and is not shown."""
    assert push(there, tmp_path, token=text) == 2
    said = capsys.readouterr().err
    assert "must hold a token and nothing else" in said and not (text and text in said)
    assert there.asked == []


def test_a_token_file_that_is_not_there(there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is told before anything is asked."""
    assert run(["dashboards", "push", "--url", there.url, "--token-file", str(tmp_path / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert there.asked == []
