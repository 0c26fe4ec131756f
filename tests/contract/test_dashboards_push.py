"""`chargewatch dashboards push` against a server holding requests to Grafana's documented HTTP API. A real one: test_grafana.py."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from grafana_client.client import GrafanaClient

from chargewatch.cli import run
from dashboards.boards import BOARDS
from dashboards.grafana import FOLDER_UID, MOST_BYTES, Grafana, GrafanaRefused, address
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
        (200, "<html>", "the answer is not Grafana's; is this where Grafana is?"),
        (200, "[]", "the answer is not Grafana's; is this where Grafana is?"),
        (204, "", "the answer is not Grafana's; is this where Grafana is?"),
        (502, "<html>bad gateway</html>", "502"),
        (400, "<html>\n <b>\x1b[31mNo</b>", "400: <html> <b>[31mNo</b>"),
        (400, f'{{"message": "what is Bearer {TOKEN}?"}}', "400: what is Bearer (the token)?"),
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
    said = capsys.readouterr().err
    assert said == f"chargewatch: {gone.url}: Connection refused; is this where Grafana is?\n"


def test_somebody_answers_too_late(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes the connection and says nothing is given up."""
    monkeypatch.setattr("dashboards.grafana.TIMEOUT_S", 0.25)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert push(FakeGrafana(port=silent.getsockname()[1]), tmp_path) == 4
    assert "no answer within 0.25 s; is this where Grafana is?" in capsys.readouterr().err


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_answer_without_end(there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: bool) -> None:
    """Is not read to its end, packed or not."""
    body = b" " * (MOST_BYTES + 1)
    there.failing = (200, gzip.compress(body, 1) if packed else body)
    there.headers = {"Content-Encoding": "gzip"} if packed else {}
    assert push(there, tmp_path) == 1
    assert f"the answer has more than {MOST_BYTES} bytes" in capsys.readouterr().err


@pytest.mark.parametrize("status", [302, 308])
def test_a_redirect_is_told_and_not_followed(
    there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    """The token is for the address that was given."""
    with grafana() as elsewhere:
        there.failing, there.headers = (status, ""), {"Location": f"{elsewhere.url}/login"}
        assert push(there, tmp_path) == 1
    said = capsys.readouterr().err
    assert f": {status}: it points to {elsewhere.url}/login; is this where Grafana is?" in said and TOKEN not in said
    assert (len(there.asked), elsewhere.asked) == (1, [])


def test_a_certificate_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A Grafana of an unknown authority gets no token; one of the operator's own authority, named in REQUESTS_CA_BUNDLE, does."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with grafana(context) as secure:
        assert push(secure, tmp_path) == 4
        assert "certificate verify failed" in capsys.readouterr().err
        assert secure.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert push(secure, tmp_path) == 0
        assert (set(secure.boards), secure.faults) == ({board.uid for board in BOARDS}, [])


def test_a_grafana_below_a_path(there: FakeGrafana, tmp_path: Path) -> None:
    """As a reverse proxy may serve it; a slash at the end changes nothing."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    assert run(["dashboards", "push", "--url", f"{there.url}/noc/grafana/", "--token-file", str(file)]) == 1
    assert there.asked[0] == ("GET", f"/noc/grafana/api/folders/{FOLDER_UID}")


@pytest.mark.parametrize(
    "url",
    [
        "grafana.example",
        "ftp://grafana.example",
        "https://",
        "https://grafana.example:99999",
        "http://127.0.0.1?verify=no",
        "http://127.0.0.1/#top",
        "http://two..dots",
    ],
)
def test_what_is_no_address_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Before anything is asked; `verify` in it would leave certificates unchecked."""
    (tmp_path / "token").write_text(TOKEN)
    assert run(["dashboards", "push", "--url", url, "--token-file", str(tmp_path / "token")]) == 2
    sentence = "--url: must be the address of a Grafana and nothing else, e.g. https://grafana.example"
    assert capsys.readouterr().err == f"chargewatch: {sentence}\n"


def test_an_address_holds_no_password(there: FakeGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be shown wherever the address is."""
    (tmp_path / "token").write_text(TOKEN)
    url = there.url.replace("//", "//admin:hunter2@")
    assert run(["dashboards", "push", "--url", url, "--token-file", str(tmp_path / "token")]) == 2
    said = capsys.readouterr().err
    assert "must name no user and no password" in said and "hunter2" not in said
    assert there.asked == []


def test_the_token_is_not_in_what_may_be_logged(there: FakeGrafana, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the object, nor in an error with all that led to it, nor in the client's own log."""
    door = Grafana(there.url, TOKEN)
    for name in (None, "urllib3"):  # the platform keeps the latter quiet, in a process where it has set up its log
        caplog.set_level(logging.DEBUG, logger=name)
    there.failing = (403, "{}")
    with pytest.raises(GrafanaRefused) as caught:
        door.make_folder()
    door.close()
    assert TOKEN not in "".join([repr(door), *traceback.format_exception(caught.value), caplog.text])
    assert caplog.text


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://[::1]:3000", "http://[::1]:3000/api"),
        ("https://grafana.example", "https://grafana.example/api"),
        ("https://grafana.example/noc/", "https://grafana.example/noc/api"),
    ],
)
def test_addresses(url: str, asked: str) -> None:
    """As the client builds them from the parts."""
    assert GrafanaClient(None, **address(url)).url == asked


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
