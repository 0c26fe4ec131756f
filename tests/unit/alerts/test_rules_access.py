"""Firmware, refused tokens, security events, peers: what fires, what does not just below, and what clears."""

from __future__ import annotations

import pytest

from alerts.detectors.rules import NETWORK_KINDS, POINT_KINDS, RuleSettings, judge, judge_point, peers_of
from alerts.detectors.rules.table import CONNECTOR_RULES, POINT_RULES, TRANSACTION_RULES
from alerts.kinds import KINDS
from chargenet import events as e
from chargenet.model.ids import IdToken
from tests.support.facts import at
from tests.support.tale import DAYS, HOUR, OPENED, SETTINGS, Tale, answered, boot, refused, said, sent


def connected() -> Tale:
    tale = Tale()
    tale.tell(0, OPENED, boot("1.0"))
    return tale


@pytest.mark.parametrize("status", ["DownloadFailed", "InstallationFailed", "InstallVerificationFailed", "InvalidSignature"])
def test_a_failed_update_is_told_of(status: str) -> None:
    """Until the next status of another try, at most for three days."""
    tale = connected()
    tale.tell(9, e.FirmwareStatusReported(status="Downloading"))
    assert tale.kinds(9) == []
    sequence = tale.tell(10, e.FirmwareStatusReported(status=status))
    assert sequence in tale.only(10, "firmware_failed").evidence[0].sequences
    assert tale.kinds(10 + 3 * DAYS) == []
    tale.tell(20, e.FirmwareStatusReported(status="Downloading"))
    assert tale.kinds(20) == []


def test_a_version_that_nobody_ordered() -> None:
    """Is a finding; the same version, the first one, and one that we ordered are not."""
    tale = connected()
    tale.tell(10, boot("1.0"))
    assert tale.kinds(10) == []
    tale.tell(20, sent("UpdateFirmware", location="https://x/y", retrieveDate="2026-03-01T00:00:20Z"))
    tale.tell(21, answered("UpdateFirmware"))
    tale.tell(600, boot("1.1"))
    assert tale.kinds(600) == []
    tale.tell(HOUR, boot("1.2"))
    finding = tale.only(HOUR, "unexpected_firmware")
    assert "1.1 → 1.2" in finding.summary
    assert tale.kinds(HOUR + 3 * DAYS) == []


def test_an_old_order_explains_nothing() -> None:
    """A month after it was due, another version is not its doing."""
    tale = connected()
    tale.tell(20, sent("UpdateFirmware", location="https://x/y"))
    tale.tell(21, answered("UpdateFirmware"))
    tale.tell(31 * DAYS, boot("1.1"))
    assert tale.kinds(31 * DAYS) == ["unexpected_firmware"]


def test_an_update_that_was_refused_orders_nothing() -> None:
    """Whatever came after it was somebody else's doing."""
    tale = connected()
    tale.tell(20, sent("UpdateFirmware", location="https://x/y"))
    tale.tell(21, answered("UpdateFirmware", status="rejected"))
    tale.tell(600, boot("1.1"))
    assert tale.kinds(600) == ["unexpected_firmware"]


def test_several_drivers_refused_in_an_hour() -> None:
    """Five refusals of three drivers; not four, and not one driver who tries five times."""
    tale = connected()
    for index, token in enumerate(["A", "B", "C", "A"]):
        tale.tell(100 + index * 120, refused(token))
    assert tale.kinds(600) == []
    tale.tell(700, refused("D"))
    finding = tale.only(700, "authorization_rejects")
    assert "5 refusals of 4 different tokens" in finding.summary
    assert all("'A'" not in each.what for each in finding.evidence)
    assert tale.kinds(700 + HOUR) == []
    one = connected()
    for index in range(9):
        one.tell(100 + index * 120, refused("A"))
    assert one.kinds(1500) == []


def test_one_try_counts_once() -> None:
    """An Authorize and the start that follows it, and a driver who has another transaction, are no further refusals."""
    tale = connected()
    for index, token in enumerate(["A", "B", "C"]):
        tale.tell(100 + index * 120, refused(token))
        tale.tell(101 + index * 120, refused(token))
        tale.tell(102 + index * 120, e.TokenPresented(id_token=IdToken(f"X{index}"), token_status="ConcurrentTx"))
    assert tale.kinds(600) == []


@pytest.mark.parametrize(
    ("types", "severity"),
    [
        (["TamperDetectionActivated"], "critical"),
        (["InvalidFirmwareSignature"], "warning"),
        (["MemoryExhaustion"], "info"),
        (["MemoryExhaustion", "TamperDetectionActivated", "InvalidFirmwareSignature"], "critical"),
    ],
)
def test_security_events_by_urgency(types: list[str], severity: str) -> None:
    """One finding for all of them, as urgent as the worst; for a day."""
    tale = connected()
    for index, each in enumerate(types):
        tale.tell(10 + index, e.SecurityEventReported(type=each))
    finding = tale.only(20, "security_event")
    assert finding.severity == severity and len(finding.evidence) == len(types)
    assert tale.kinds(20 + DAYS) == []


def test_routine_security_events_are_silent() -> None:
    """Every start reports some; a wrong password is told of when it comes ten times in an hour."""
    tale = connected()
    for each in ("StartupOfTheDevice", "SettingSystemTime", "ResetOrReboot", "FirmwareUpdated"):
        tale.tell(10, e.SecurityEventReported(type=each))
    for index in range(9):
        tale.tell(20 + index, e.SecurityEventReported(type="LoginRefused"))
    assert tale.kinds(40) == []
    tale.tell(50, e.SecurityEventReported(type="LoginRefused"))
    assert tale.kinds(50) == ["security_event"]


def test_peers_are_counted() -> None:
    """How many of the same model and of the same site have it too."""
    tale = Tale()
    for number in range(5):
        tale.tell(0, OPENED, boot(), charge_point=f"CP{number}")
    for number in range(2):
        tale.tell(10, said("Faulted", code="GroundFailure"), charge_point=f"CP{number}")
    sites = dict.fromkeys(["CP0", "CP3"], "mall")
    found = judge(tale.signals, at(20), SETTINGS, sites)
    (first,) = [each for each in found if each.charge_point_id == "CP0"]
    texts = [each.what for each in first.evidence]
    assert "1 of 4 other charge points of the model Acme One have the same now." in texts
    assert "0 of 1 other charge points at this site have the same now." in texts


def test_one_charge_point_at_once() -> None:
    """`judge_point` says what `judge` says of it, and with the last pass's peers how it compares."""
    tale = Tale()
    for number in range(3):
        tale.tell(0, OPENED, boot(), charge_point=f"CP{number}")
    before = judge(tale.signals, at(5), SETTINGS, {})
    peers = peers_of(tale.signals, {}, before)
    tale.tell(10, said("Faulted", code="GroundFailure"), charge_point="CP0")
    alone = judge_point(tale.point("CP0"), at(10), RuleSettings(), peers=peers)
    assert alone == judge(tale.signals, at(10), SETTINGS, {})
    assert judge_point(tale.point("CP1"), at(10), RuleSettings(), peers=peers) == []


def test_the_table_gives_only_known_kinds() -> None:
    """Every kind of a rule is in alerts/kinds with a title of its own; none is given by both looks."""
    given = [kind for rules in (POINT_RULES, CONNECTOR_RULES, TRANSACTION_RULES) for rule in rules for kind in rule.kinds]
    assert set(given) == POINT_KINDS and set(KINDS) >= (POINT_KINDS | NETWORK_KINDS)
    assert not POINT_KINDS & NETWORK_KINDS
    assert len({row.title for row in KINDS.values()}) == len(KINDS)
    for kind, row in KINDS.items():
        assert kind == row.kind and row.title.isidentifier() and row.runbook == f"{row.title}.md"
        assert row.severity in ("critical", "warning", "info") and row.action.endswith(".") and row.means.endswith(".")
