"""What each kind of receiver is sent, and what its answers mean."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from alerts.config.model import EmailReceiver, PagerDutyReceiver, SlackReceiver, WebhookReceiver
from alerts.message import Message, body
from alerts.notifiers import apprise, email, pagerduty, slack, webhook
from alerts.notifiers.http import is_public
from alerts.notifiers.port import HttpAnswer, HttpFailure, HttpRequest, Result, deliver, meaning, parse_retry_after
from alerts.relay.rows import Outcome
from chargenet.model.notice import Attachment, Link
from chargenet.settings.values import Secret
from tests.support.relay import Simulated

NEW, FORMER = "whsec_" + "TmV3U2VjcmV0" * 3, "whsec_" + "Rm9ybWVyU2VjcmV0" * 2
NOW = datetime.now(UTC)


async def told(*statuses: str, **fields: Any) -> Message:
    """The first message of a case; with `acknowledged` or `resolved`, the last one after that."""
    world = Simulated()
    notice = world.notice(details={"case_id": 17, "score": 0.97, "last_sessions": []}, **fields)
    await world.tell(notice)
    await world.wait(40)
    for status in statuses:
        now = world.clock.now()
        change: dict[str, Any] = {"acknowledged": {"acknowledged_at": now, "acknowledged_by": "Ola"}}.get(
            status, {"resolved_at": now}
        )
        notice = msgspec.structs.replace(notice, **change)
        await world.tell(notice)
        await world.wait(400)
    return world.night.taken[-1]


def hook(*secrets: str) -> WebhookReceiver:
    return WebhookReceiver(name="night", url=Secret("https://h.example/hook"), secrets=tuple(map(Secret, secrets)))


async def test_while_a_secret_is_changed_both_are_good() -> None:
    """A stranger's library verifies with the new and with the former secret; with another, or changed by one sign, it does not."""
    message = await told()
    made = webhook.request(message, hook(NEW, FORMER), NOW)
    for secret in (NEW, FORMER):
        assert Webhook(secret).verify(made.body, made.headers)["type"] == "alert.firing"
    others = ((NEW.replace("TmV3", "TmV4"), made.body), (NEW, made.body.replace(b"firing", b"fixing")))
    for secret, content in others:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(content, made.headers)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(NEW).verify(made.body, webhook.request(message, hook(NEW), NOW - timedelta(minutes=6)).headers)


async def test_every_attempt_has_the_same_id_and_body_and_its_own_time() -> None:
    """Only timestamp and signature move, so that a repeat is known by its id, and an old copy is not taken."""
    message = await told()
    one, other = (webhook.request(message, hook(NEW), NOW + timedelta(hours=hours)) for hours in (0, 5))
    assert one.body == other.body and one.headers["webhook-id"] == other.headers["webhook-id"]
    assert one.headers["webhook-signature"] != other.headers["webhook-signature"]
    assert "hook" not in repr(one) and NEW not in repr(hook(NEW)) and "h.example" not in repr(hook(NEW))


async def test_a_webhook_names_files_and_not_where_they_are() -> None:
    """Where a file is on this machine is nobody's business."""
    message = await told(attachments=(Attachment("report.pdf", "application/pdf", "/srv/secret/report.pdf"),))
    assert json.loads(webhook.payload(message))["data"]["attachments"] == [{"name": "report.pdf", "media_type": "application/pdf"}]


@pytest.mark.parametrize(
    ("statuses", "action"), [((), "trigger"), (("acknowledged",), "acknowledge"), (("acknowledged", "resolved"), "resolve")]
)
async def test_pagerduty_has_one_incident_for_a_group(statuses: tuple[str, ...], action: str) -> None:
    """Trigger, acknowledge and resolve under one dedup key of at most 255 characters; figures by their names."""
    receiver = PagerDutyReceiver(name="pd", routing_key=Secret("0" * 32))
    event = json.loads(pagerduty.request(await told(*statuses), receiver).body)
    first = json.loads(pagerduty.request(await told(), receiver).body)
    assert (event["event_action"], event["dedup_key"]) == (action, first["dedup_key"]) and len(event["dedup_key"]) <= 255
    assert first["payload"]["custom_details"]["score"] == 0.97 and first["payload"]["severity"] == "critical"
    assert ("payload" in event) == (action == "trigger")
    assert {link["text"] for link in first["links"]} >= {"Acknowledge", "API"}


async def test_pagerduty_takes_what_is_long() -> None:
    """A summary has at most 1,024 characters, and none that breaks a line."""
    event = json.loads(pagerduty.request(await told(title="x\n" * 900), PagerDutyReceiver(name="p", routing_key=Secret("k"))).body)
    assert len(event["payload"]["summary"]) <= 1024 and "\n" not in event["payload"]["summary"]


async def test_slack_mentions_nobody() -> None:
    """What a charge point says cannot mention a channel or make a link; the links of the message are words."""
    message = await told(
        title="<!channel> & <@U1>", links=(Link("Board|x", "https://g.example/d/1?a=b"), Link("Bad", "https://g/|<"))
    )
    post = json.loads(slack.request(message, SlackReceiver(name="chat", url=Secret("https://s.example/T"))).body)
    assert post["text"] == "CRITICAL: &lt;!channel&gt; &amp; &lt;@U1&gt;"
    (shown,) = post["attachments"]
    assert "<https://g.example/d/1?a=b|" in shown["text"] and "https://g/" not in shown["text"] and "Acknowledge>" in shown["text"]
    assert shown["text"].startswith("Since 02:41 UTC") and "5 of 6 attempts" in shown["text"]
    over = json.loads(slack.request(await told("resolved"), SlackReceiver(name="chat", url=Secret("https://s.example/T"))).body)
    assert over["text"].startswith("Over: ") and over["attachments"][0]["color"] != shown["color"]


async def test_chats_are_never_told_half_a_link() -> None:
    """However long the text is, the links below it are whole."""
    message = await told(text="x" * 4000)
    arguments = apprise.arguments(message)
    assert arguments["body"].splitlines()[-1].startswith(message.links[-1].title) and message.links[-1].url in arguments["body"]
    assert len(body(message)) > 3000 and len(arguments["body"].partition("\n\nAck")[0]) < 2100
    assert apprise.arguments(await told("resolved"))["notify_type"] == "success"


MAIL = EmailReceiver(name="mail", host="h", port=25, sender="cw@example.org", to=("a@example.org", "b@example.org"))


async def test_mail_is_one_thread_for_a_group_and_known_by_its_id(tmp_path: Path) -> None:
    """No title can add a header; files that are gone or too large are named instead."""
    there = tmp_path / "a.pdf"
    there.write_bytes(b"%PDF")
    files = (Attachment("a.pdf", "application/pdf", str(there)), Attachment("gone.pdf", "application/pdf", str(tmp_path / "gone")))
    message = await told(title="Faulted\nBcc: evil@example.org", attachments=files)
    first, last = email.mail(message, MAIL, NOW), email.mail(await told("resolved"), MAIL, NOW)
    assert first["Bcc"] is None and first["Subject"] == "Faulted Bcc: evil@example.org"
    assert first["References"] == last["References"] and first["Message-ID"] != last["Message-ID"]
    assert message.message_id in first["Message-ID"] and first["Auto-Submitted"] == "auto-generated"
    assert [part.get_filename() for part in first.iter_attachments()] == ["a.pdf"]
    text = first.get_body(("plain",))
    assert text is not None and "Not attached: gone.pdf" in text.get_content()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (202, "delivered"), (204, "delivered"), (301, "refused"), (307, "refused"), (400, "refused"),
     (401, "refused"), (404, "refused"), (408, "retry"), (410, "refused"), (425, "retry"), (429, "retry"), (500, "retry"),
     (502, "retry"), (503, "retry"), (504, "retry")],
)  # fmt: skip
def test_what_an_answer_means(status: int, outcome: str) -> None:
    """2xx is delivered; 408, 425, 429 and 5xx are tried again; everything else is final."""
    assert meaning(HttpAnswer(status, {}, b"why\nnot"), NOW).outcome == outcome


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(None, None), ("120", 120.0), (" 5 ", 5.0), ("0", 0.0), ("99999999999999", 21_600.0), ("soon", None), ("-5", None),
     ("1.5", None), ("٣", None), ("Mon, 04 May 2026 02:43:00 GMT", 120.0), ("Mon, 04 May 2026 02:00:00 GMT", 0.0), ("", None)],
)  # fmt: skip
def test_retry_after(text: str | None, seconds: float | None) -> None:
    """A number or a date (RFC 9110 §10.2.3), at most six hours; nonsense is as if it were not there."""
    assert parse_retry_after(text, datetime(2026, 5, 4, 2, 41, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("address", "public"),
    [("93.184.216.34", True), ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
     ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False),
     ("2606:4700::1111", True), ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False),
     ("::ffff:10.0.0.1", False), ("::ffff:93.184.216.34", True), ("64:ff9b::a00:1", False), ("2002:0a00:0001::", False),
     ("64:ff9b::5db8:d822", True), ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False)],
)  # fmt: skip
def test_which_addresses_are_everybodys(address: str, public: bool) -> None:
    """Private, loopback, link-local (where clouds keep their secrets), multicast and reserved ones are not, in any wrapping."""
    assert is_public(address) is public


class _Door:
    def __init__(self, failure: HttpFailure) -> None:
        self._failure = failure

    async def post(self, request: HttpRequest, timeout_s: float) -> HttpAnswer:
        raise self._failure


@pytest.mark.parametrize(("forbidden", "outcome"), [(True, Outcome.REFUSED), (False, Outcome.RETRY)])
def test_a_forbidden_address_is_final(forbidden: bool, outcome: Outcome) -> None:
    """Trying again would not help; a line that is down may come back."""
    result = asyncio.run(deliver(_Door(HttpFailure("why", forbidden=forbidden)), HttpRequest("http://x/", {}, b""), 1.0, NOW))
    assert result == Result(outcome=outcome, detail="why")
