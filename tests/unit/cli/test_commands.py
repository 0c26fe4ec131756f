"""Commands over a running platform: what they print, and what they exit with."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargenet.settings import load
from tests.unit.cli.conftest import Cli

LISTINGS = [
    ("charge-points", "list"),
    ("transactions", "list"),
    ("transactions", "quarantine"),
    ("diagnostics", "list"),
    ("tokens", "list"),
    ("sites", "list"),
    ("keys", "list"),
    ("audit",),
    ("frames", "CP-1"),
]


@pytest.mark.parametrize("listing", LISTINGS, ids=" ".join)
def test_a_listing_is_the_same_from_api_and_folder(cli: Cli, listing: tuple[str, ...]) -> None:
    """--json is an array, and running or stopped, JSON and table are the same."""
    for form in ((), ("--json",)):
        over_api, over_folder = cli.api(*listing, *form), cli.folder(*listing, *form)
        assert (over_api.code, over_folder.code) == (0, 0), over_api.err + over_folder.err
        assert over_api.out == over_folder.out
    assert isinstance(cli.api(*listing, "--json").json, list)


def test_showing_is_the_same_from_api_and_folder(cli: Cli) -> None:
    """A single charge point too, with its connectors."""
    shown = cli.api("charge-points", "show", "CP-1", "--json")
    assert shown.out == cli.folder("charge-points", "show", "CP-1", "--json").out
    assert (shown.json["charge_point_id"], shown.json["connectors"][0]["status"]) == ("CP-1", "Available")
    assert "Available" in cli.api("charge-points", "show", "CP-1").out


def test_a_table_has_what_the_array_has(cli: Cli) -> None:
    """For people: one line per charge point under a heading."""
    heading, *rows = cli.api("charge-points", "list", "--connected").out.splitlines()
    assert heading.split()[:3] == ["charge", "point", "connected"] and any(row.split()[0] == "CP-1" for row in rows)


def test_charge_points_are_added_blocked_approved(cli: Cli) -> None:
    """Each change answers with the new state in JSON, and with a sentence without."""
    assert cli.api("charge-points", "add", "NEW-1", "--note", "by the gate", "--json").json["registration"] == "Accepted"
    assert cli.api("charge-points", "block", "NEW-1", "--json").json["registration"] == "Rejected"
    approved = cli.api("charge-points", "approve", "NEW-1")
    assert (approved.out, approved.err.strip()) == ("", "NEW-1 is accepted")
    assert cli.api("charge-points", "add", "NEW-1").code == 1


def test_a_generated_password_is_the_only_output(cli: Cli) -> None:
    """On standard output there is the password and nothing else, so that it can be piped; a chosen one is never echoed."""
    made = cli.api("charge-points", "set-password", "CP-1")
    assert len(bytes.fromhex(made.out.strip())) == 20
    chosen = cli.api("charge-points", "set-password", "CP-1", "correct-horse")
    assert chosen.code == 0 and "correct-horse" not in chosen.out + chosen.err


def test_frames_are_filtered(cli: Cli) -> None:
    """By action and by age; an unknown charge point is not the same as a silent one."""
    (entry,) = cli.api("frames", "CP-1", "--action", "Heartbeat", "--since", "1h", "--json").json
    assert (entry["action"], entry["direction"], entry["reply"]) == ("Heartbeat", "in", {"currentTime": "2026-01-01T00:00:00Z"})
    assert "→ Heartbeat {}" in cli.api("frames", "CP-1").out
    assert cli.api("frames", "CP-1", "--action", "Nothing", "--json").json == []
    assert cli.api("frames", "nobody").code == cli.folder("frames", "nobody").code == 3


def test_following_prints_each_frame_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --follow --json each entry is one line, seen once however often it polls; Ctrl-C is a good end."""
    polls = 0

    def sleep(_: float) -> None:
        nonlocal polls
        polls += 1
        if polls == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("chargewatch.cli.frames.time.sleep", sleep)
    ended = cli.api("frames", "CP-1", "--follow", "--json")
    assert ended.code == 0 and len(ended.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("point", "payload", "code"), [("CP-1", "{}", 0), ("nobody", "{}", 3), ("CP-1", "[1]", 2), ("CP-1", "{", 2)]
)
def test_calls_print_how_they_ended(cli: Cli, point: str, payload: str, code: int) -> None:
    """0 accepted, 2 a payload that is no object, 3 nobody there."""
    ended = cli.api("call", point, "ClearCache", payload, "--json")
    assert ended.code == code, ended.err
    if code == 0:
        assert ended.json["status"] == "accepted"


def test_tokens_are_added_blocked_and_imported(cli: Cli, tmp_path: Path) -> None:
    """Lines that were not taken are named with file and line, and make the exit code 1."""
    assert cli.api("tokens", "add", "ABC", "--kind", "ISO14443", "--expires", "2030-01-01", "--json").json["status"] == "Accepted"
    assert cli.api("tokens", "block", "abc", "--json").json["status"] == "Blocked"
    file = tmp_path / "cards.csv"
    file.write_text("value,status\nA1,Accepted\nB2,Lost\n")
    done = cli.api("tokens", "import", str(file))
    assert done.code == 1 and f"{file}:3: status 'Lost'" in done.err.replace("\n", " ") and "1 tokens taken" in done.err
    assert cli.api("tokens", "import", str(tmp_path / "none.csv")).code == 2


def test_keys_are_created_and_revoked(cli: Cli) -> None:
    """The secret is the only output; afterwards it works, and revoked it does not."""
    made = cli.api("keys", "create", "wallboard", "--role", "viewer")
    secret = made.out.strip()
    assert cli("sites", "list", "--api", cli.running.url, "--key", secret).code == 0
    assert cli("tokens", "list", "--api", cli.running.url, "--key", secret).code == 1
    key_id = secret.split("_")[1]
    assert cli.api("keys", "revoke", key_id).code == 0
    assert cli("sites", "list", "--api", cli.running.url, "--key", secret).code == 2
    assert cli.api("keys", "revoke", "nothing").code == 3


def test_sites_are_put_and_removed(cli: Cli) -> None:
    """A site with a wrong time zone is refused by name."""
    assert cli.api("sites", "put", "north", "--name", "North", "--time-zone", "Europe/Oslo", "--json").json["site_id"] == "north"
    refused = cli.api("sites", "put", "north", "--name", "North", "--time-zone", "Oslo")
    assert refused.code == 2 and "IANA" in refused.err
    assert cli.api("sites", "remove", "north").code == 0


def test_a_remote_doctor_shows_every_check(cli: Cli) -> None:
    """What the platform says of itself, and how far the clocks are apart."""
    found = {each["what"]: each for each in cli.api("doctor", "--json").json}
    assert (found["API"]["ok"], found["journal"]["ok"], found["clock"]["ok"]) == (True, True, True)


def test_a_local_doctor_names_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    """A busy port is wrong and names its flag; a server that does not answer is wrong; the exit code is 1."""
    port = cli.running.url.rpartition(":")[2]
    config = tmp_path / "c.toml"
    config.write_text(f'[http]\nlisten = "127.0.0.1:{port}"\n[influx]\nurl = "http://127.0.0.1:1"\n')
    ended = cli("doctor", "--json", "--data", str(tmp_path / "new"), "--config", str(config))
    wrong = {each["what"]: each["detail"] for each in ended.json if each["ok"] is False}
    assert ended.code == 1 and set(wrong) == {"port of --http", "InfluxDB"} and "--http" in wrong["port of --http"]


def test_config_check_prints_what_is_meant(cli: Cli, tmp_path: Path) -> None:
    """Every setting with its source, no secret; a wrong one is a sentence and exit code 2."""
    config = tmp_path / "c.toml"
    config.write_text('[influx]\nurl = "http://i"\ntoken = "s3cret"\n')
    rows = {row["key"]: row for row in cli("config", "check", "--json", "--config", str(config)).json}
    assert (rows["influx.url"]["source"], rows["influx.token"]["value"]) == (str(config), "(hidden)")
    assert rows["collector.ocpp"]["value"] == str(load(None, {}).collector.ocpp)
    config.write_text("[influx]\nurll = 1\n")
    refused = cli("config", "check", "--config", str(config))
    assert refused.code == 2 and refused.err == f"chargewatch: {config}: influx.urll: is no setting; did you mean influx.url?\n"
