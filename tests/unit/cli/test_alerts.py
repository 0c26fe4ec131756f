"""Commands about telling people: silences, tests of receivers, the log, the check of alerts.toml, secrets."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx

from tests.support.alertmanager import webhook
from tests.support.relay import CONFIG
from tests.unit.cli.conftest import Cli


def test_silences_are_added_listed_and_ended(cli: Cli) -> None:
    """Until --hours from now; ending twice fails with 1, an unknown one with 3, nonsense says what is wrong."""
    made = cli.api("silences", "add", "site=harbour", "kind~Connector*", "--hours", "2", "--comment", "known", "--json").json
    assert made["matchers"] == ["site=harbour", "kind~Connector*"] and made["comment"] == "known"
    listed = cli.api("silences", "list", "--current", "--json").json
    assert made["silence_id"] in [each["silence_id"] for each in listed]
    assert "site=harbour, kind~Connector*" in cli.api("silences", "list").out
    assert cli.api("silences", "end", made["silence_id"]).code == 0
    assert cli.api("silences", "end", made["silence_id"]).code == 1
    assert cli.api("silences", "end", "nothing").code == 3
    wrong = cli.api("silences", "add", "harbour", "--comment", "x")
    assert wrong.code == 1 and "is no matcher" in wrong.err
    assert cli.api("silences", "add", "site=harbour").code == 2, "nobody silences without saying why"


def test_a_receiver_is_tried(cli: Cli) -> None:
    """The test goes out, is waited for, and is in the log with its attempt; a receiver that is not there is 3."""
    sent = cli.api("alerts", "test", "night", "--json").json
    assert (sent["receiver"], sent["state"], sent["status"]) == ("night", "delivered", "test")
    assert "night took the test" in cli.api("alerts", "test", "night").err
    assert cli.api("alerts", "test", "night", "--wait", "0", "--json").json["receiver"] == "night"
    unknown = cli.api("alerts", "test", "day")
    assert unknown.code == 3 and "defined are: night" in unknown.err
    log = cli.api("alerts", "log", "--receiver", "night", "--state", "delivered", "--json").json
    assert sent["message_id"] in [each["message_id"] for each in log]
    assert "Test from chargewatch" in cli.api("alerts", "log").out
    shown = cli.api("alerts", "log", sent["message_id"], "--json").json
    assert [each["outcome"] for each in shown["attempts"]] == ["delivered"]
    assert "delivered (test, test, change 1 of its group)" in cli.api("alerts", "log", sent["message_id"]).out
    assert cli.api("alerts", "log", "nothing").code == 3


def test_the_config_is_checked_without_a_platform(cli: Cli, tmp_path: Path) -> None:
    """Its receivers, who would be told, or the sentence for the mistake; without a file nobody is told."""
    nobody = cli("alerts", "check", "--data", str(tmp_path))
    assert (nobody.code, nobody.out) == (0, "") and "nobody is told" in nobody.err
    (tmp_path / "alerts.toml").write_text(CONFIG)
    assert cli("alerts", "check", "--data", str(tmp_path), "--json").json == [
        {"receiver": "night", "type": "webhook", "send_resolved": True}
    ]
    assert "night" in cli("alerts", "check", "site=harbour", "--data", str(tmp_path)).out
    assert cli("alerts", "check", "harbour", "--data", str(tmp_path)).code == 2
    (tmp_path / "alerts.toml").write_text(CONFIG.replace("url =", "uri ="))
    wrong = cli("alerts", "check", "--data", str(tmp_path))
    assert wrong.code == 2 and "alerts.toml: receivers.night: url is missing" in wrong.err


def test_secrets_are_new_and_long(cli: Cli) -> None:
    """As Standard Webhooks wants them: whsec_ and 32 random bytes."""
    one, other = cli("alerts", "secret").out.strip(), cli("alerts", "secret", "--json").json["secret"]
    assert one != other and len(base64.b64decode(one.removeprefix("whsec_"))) == len(base64.b64decode(other[6:])) == 32


def test_open_alerts_are_listed_taken_and_ended(cli: Cli) -> None:
    """By the key that the list shows; what is not there is 3, what is taken already is 1."""
    call = httpx.post(
        f"{cli.running.url}/api/v1/alerts/alertmanager", json=webhook(), headers={"Authorization": f"Bearer {cli.running.key}"}
    )
    assert call.status_code == 200
    (row,) = cli.api("alerts", "list", "--json").json
    assert (row["kind"], row["severity"]) == ("EvConnectorFaulted", "critical")
    assert "A connector is faulted" in cli.api("alerts", "list", "--severity", "critical").out
    assert cli.api("alerts", "ack", row["key"], "--note", "on my way", "--json").json["acknowledged_at"]
    assert cli.api("alerts", "ack", row["key"]).code == 1
    assert cli.api("alerts", "resolve", row["key"]).code == 0
    assert cli.api("alerts", "resolve", row["key"]).code == 3
    assert "nothing is open" in cli.api("alerts", "list").err
