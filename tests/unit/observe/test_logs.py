"""What may stand in a log, and how often."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from decimal import Decimal

import pytest

from chargenet.model.ids import IdToken
from chargenet.observe.logs import Budget, configure, redact


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leaves the root logger as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Basic Q1AxOnNlY3JldA==", "Q1AxOnNlY3JldA"),
        ("{'authorization': 'Bearer abcdef0123456789'}", "abcdef0123456789"),
        ("headers [('Authorization', 'Basic Q1AxOnNlY3JldA==')]", "Q1AxOnNlY3JldA"),
        ("password=hunter22 user=x", "hunter22"),
        ('{"api_key": "cw_0123456789"}', "cw_0123456789"),
        ("admin key: cw_0123456789", "cw_0123456789"),
        ('{"key":"AuthorizationKey","value":"00112233445566"}', "00112233445566"),
        ('[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"},"attributeValue":"hunter22hunter22"}]',
         "hunter22hunter22"),
        ('[{"attributeValue":"hunter22hunter22","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]',
         "hunter22hunter22"),
        ("postgresql://cw:hunter22@db/charge", "hunter22"),
        ("PUT /uploads/kZ8fQ1aa_-secret HTTP/1.1", "kZ8fQ1aa_-secret"),
        ('{"connectorId":1,"idTag":"04A2B3C4"}', "04A2B3C4"),
        ('{"idToken":{"idToken":"04A2B3C4","type":"ISO14443"}}', "04A2B3C4"),
        ("{'idToken': {'type': 'ISO14443', 'idToken': '04A2B3C4'}}", "04A2B3C4"),
    ],
)  # fmt: skip
def test_secrets_are_cut(text: str, secret: str) -> None:
    """No form in which a password, key, token or ID token reaches a log line leaves it readable."""
    assert secret not in redact(text)


@pytest.mark.parametrize("as_json", [False, True])
def test_an_exception_s_class_in_place_of_the_exception_is_named(as_json: bool) -> None:
    """As the event loop logs a failed TLS handshake: one line that names it, instead of a formatter that fails."""
    stream = io.StringIO()
    configure(stream, level="INFO", as_json=as_json)
    class_for_exception = (type, ConnectionAbortedError, ConnectionAbortedError.__traceback__)
    logging.getLogger("asyncio").error("SSL handshake failed", exc_info=class_for_exception)  # type: ignore[arg-type]
    assert "SSL handshake failed" in stream.getvalue() and "ConnectionAbortedError" in stream.getvalue()


def test_ordinary_words_stay() -> None:
    """Redaction leaves ordinary lines alone."""
    line = "CP1: connection closed (1006), 3 calls pending, keys created: 2"
    assert redact(line) == line


def test_an_id_token_is_hashed_so_that_lines_can_be_matched() -> None:
    """The same token gives the same hash, in frames and as an argument."""
    stream = io.StringIO()
    configure(stream, as_json=True)
    logging.getLogger("a").warning("token %s", IdToken("04A2B3C4"))
    assert IdToken("04a2b3c4").hashed in json.loads(stream.getvalue())["message"]
    assert IdToken("04a2b3c4").hashed in redact('{"idTag":"04A2B3C4"}')


def test_json_lines_carry_extra_fields() -> None:
    """A stream that is no terminal gets one JSON object a line, with the caller's fields, secrets cut."""
    stream = io.StringIO()
    configure(stream)
    extra = {"charge_point": "CP1", "count": 3, "header": "Basic Q1AxOnNlY3JldA=="}
    logging.getLogger("collector").info("refused %d of %.1f", 3, Decimal("4.5"), extra=extra)
    line = json.loads(stream.getvalue())
    assert (line["level"], line["logger"], line["message"]) == ("info", "collector", "refused 3 of 4.5")
    assert (line["charge_point"], line["count"], line["header"]) == ("CP1", 3, "Basic [cut]")
    assert line["at"].endswith("+00:00")


def test_a_terminal_gets_plain_lines() -> None:
    """A person reads `time LEVEL logger: words  field=value`."""
    stream = Terminal()
    configure(stream)
    logging.getLogger("collector").warning("slow", extra={"charge_point": "CP1"})
    assert stream.getvalue().split(" ", 1)[1] == "WARNING collector: slow  charge_point=CP1\n"


def test_tracebacks_are_kept_and_redacted() -> None:
    """An exception's text goes through the same knife."""
    stream = io.StringIO()
    configure(stream)
    try:
        raise ValueError("password=hunter22")
    except ValueError:
        logging.getLogger("a").exception("failed")
    assert "ValueError" in json.loads(stream.getvalue())["trace"]
    assert "hunter22" not in stream.getvalue()


def test_a_rude_kind_is_held_back_and_counted() -> None:
    """Of a flood of one kind, `burst` lines come through; the others are counted, and other kinds are not held back."""
    stream, held = io.StringIO(), []
    configure(stream, budget=Budget(burst=3, per_minute=0.001), on_suppressed=lambda: held.append(1))
    for number in range(100):
        logging.getLogger("a").warning("bad frame from %s", number)
    logging.getLogger("a").warning("another kind")
    lines = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert lines == ["bad frame from 0", "bad frame from 1", "bad frame from 2", "another kind"]
    assert len(held) == 97


def test_the_budget_refills_and_says_what_it_held_back() -> None:
    """After a while a line comes through again and carries how many did not; kinds are bounded."""
    budget = Budget(burst=1, per_minute=60.0, kinds=2)
    assert budget.take(("a", "x"), 0.0) == 0
    assert budget.take(("a", "x"), 0.1) is None
    assert budget.take(("a", "x"), 0.2) is None
    assert budget.take(("a", "x"), 5.0) == 2
    for kind in range(10):
        budget.take(("a", str(kind)), 5.0)
    assert budget.take(("a", "x"), 5.0) == 0


def test_what_a_scheduler_does_every_second_is_no_line() -> None:
    """Its warnings are."""
    stream = io.StringIO()
    configure(stream, level="DEBUG")
    logging.getLogger("apscheduler.executors.default").info("Running job")
    logging.getLogger("apscheduler.scheduler").warning("it is late")
    assert "Running job" not in stream.getvalue() and "it is late" in stream.getvalue()
