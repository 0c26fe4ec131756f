"""The token table answers Authorize, idTagInfo and idTokenInfo, in every version. A rejected token loses no report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.peer import MODULES, PROTOCOLS, items, peer, request, settled
from tests.support.platform import RunningPlatform
from tests.support.stories_2x import event

FUTURE, PAST = "2999-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
TABLE: list[dict[str, Any]] = [
    {"value": "TAG-OK", "kind": "ISO14443"},
    {"value": "TAG-FAMILY", "parent": "FAMILY-1", "expires_at": FUTURE},
    {"value": "TAG-BLOCKED", "status": "Blocked", "parent": "FAMILY-1"},
    {"value": "TAG-EXPIRED", "expires_at": PAST},
    {"value": "TAG-SAID-EXPIRED", "status": "Expired"},
    {"value": "TAG-INVALID", "status": "Invalid"},
]
ANSWERS: dict[str, tuple[str, str | None, str | None]] = {
    "TAG-OK": ("Accepted", None, None),
    "tag-ok": ("Accepted", None, None),
    "TAG-FAMILY": ("Accepted", "FAMILY-1", FUTURE),
    "TAG-BLOCKED": ("Blocked", "FAMILY-1", None),
    "TAG-EXPIRED": ("Expired", None, PAST),
    "TAG-SAID-EXPIRED": ("Expired", None, None),
    "TAG-INVALID": ("Invalid", None, None),
    "TAG-NOBODY-KNOWS": ("Invalid", None, None),
}
"""Token → status, parent or group, expiry."""
_minutes = count()
every_token = pytest.mark.parametrize("token", ANSWERS)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Tokens that are in no table are rejected."""
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "settings.toml").write_text('[tokens]\nunknown = "reject"\n[log]\nlevel = "debug"\n')
    with RunningPlatform(folder / "data", "--config", str(folder / "settings.toml")) as running:
        for row in TABLE:
            running.api("POST", "/api/v1/tokens", json=row)
        yield running


def instant() -> str:
    """Another minute for each start, so that none repeats an earlier one."""
    minute = next(_minutes)
    return f"2026-05-04T{minute // 60:02d}:{minute % 60:02d}:00Z"


def numbered(protocol: str, token: str) -> str:
    """A charge point for each token."""
    return f"{protocol}-{list(ANSWERS).index(token)}"


def of_16(info: dict[str, Any]) -> tuple[Any, ...]:
    """idTagInfo as (status, parent, expiry)."""
    return info["status"], info.get("parent_id_tag"), info.get("expiry_date")


def of_2x(info: dict[str, Any]) -> tuple[Any, ...]:
    """idTokenInfo as (status, group, expiry)."""
    group = info.get("group_id_token")
    assert group is None or group["type"] == "Central"
    return info["status"], group and group["id_token"], info.get("cache_expiry_date_time")


@every_token
async def test_1_6_is_answered_from_the_table(platform: RunningPlatform, token: str) -> None:
    """Authorize, StartTransaction and StopTransaction say the same of a token; the transaction is kept whatever they say."""
    call = MODULES["ocpp1.6"].call
    name = numbered("ocpp1.6", token)
    async with peer(platform.url, name) as point:
        assert of_16((await point.call(call.Authorize(id_tag=token))).id_tag_info) == ANSWERS[token]
        begun = await point.call(call.StartTransaction(connector_id=1, id_tag=token, meter_start=100, timestamp=instant()))
        assert of_16(begun.id_tag_info) == ANSWERS[token]
        assert begun.transaction_id > 0, "a rejected token has a transaction id too"
        stop = call.StopTransaction(transaction_id=begun.transaction_id, meter_stop=300, timestamp=instant(), id_tag=token)
        assert of_16((await point.call(stop)).id_tag_info) == ANSWERS[token]
        await settled(platform)
    await is_kept(platform, name, str(begun.transaction_id), token)


async def is_kept(platform: RunningPlatform, name: str, transaction_id: str, token: str) -> None:
    """The whole transaction with its energy; a rejected token is a flag on it."""
    (row,) = await items(platform, "transactions", charge_point=name)
    transaction, status = row["transaction"], ANSWERS[token][0]
    assert (transaction["transaction_id"], row["energy_wh"], transaction["state"]) == (transaction_id, 200, "stopped")
    assert (transaction["id_token"], transaction["token_status"]) == (token, status)
    assert transaction["flags"] == ([] if status == "Accepted" else ["token_rejected"])
    flagged = await items(platform, "transactions", charge_point=name, flag="token_rejected")
    assert len(flagged) == (status != "Accepted")


@pytest.mark.parametrize("protocol", PROTOCOLS[1:])
@every_token
async def test_2_x_is_answered_from_the_table(platform: RunningPlatform, protocol: str, token: str) -> None:
    """Authorize and TransactionEvent say the same of a token; events without a token get no idTokenInfo."""
    name = numbered(protocol, token)
    presented = {"id_token": token, "type": "ISO14443"}
    async with peer(platform.url, name, protocol) as point:
        authorized = await point.call(MODULES[protocol].call.Authorize(id_token=presented))
        assert of_2x(authorized.id_token_info) == ANSWERS[token]
        begun = await point.call(event(protocol, "Started", 0, 0, "Authorized", 100, evse={"id": 1}, id_token=presented))
        assert of_2x(begun.id_token_info) == ANSWERS[token]
        updated = await point.call(event(protocol, "Updated", 1, 1, "MeterValuePeriodic", 200))
        assert updated.id_token_info is None
        ended = await point.call(event(protocol, "Ended", 2, 2, "StopAuthorized", 300, id_token=presented))
        assert of_2x(ended.id_token_info) == ANSWERS[token]
        await settled(platform)
    await is_kept(platform, name, "TX-1", token)


@pytest.mark.parametrize("protocol", PROTOCOLS[1:])
async def test_a_start_button_has_nobody_to_refuse(platform: RunningPlatform, protocol: str) -> None:
    """NoAuthorization is accepted, though unknown tokens are not."""
    async with peer(platform.url, f"BUTTON-{protocol}", protocol) as point:
        token = {"id_token": "", "type": "NoAuthorization"}
        begun = await point.call(event(protocol, "Started", 0, 0, "ChargingStateChanged", evse={"id": 1}, id_token=token))
        assert begun.id_token_info["status"] == "Accepted"


async def status_of(point: Any, token: str) -> str:
    answer = await point.call(MODULES["ocpp1.6"].call.Authorize(id_tag=token))
    status: str = answer.id_tag_info["status"]
    return status


async def test_a_change_of_the_table_counts_from_the_next_call(platform: RunningPlatform) -> None:
    """Added, blocked, imported and removed while a charge point is connected: by API and by command line."""
    async with peer(platform.url, "CHANGES") as point:
        assert await status_of(point, "LATER") == "Invalid"
        await asyncio.to_thread(platform.cli, "tokens", "add", "LATER")
        assert await status_of(point, "LATER") == "Accepted"
        await asyncio.to_thread(platform.cli, "tokens", "block", "later")
        assert await status_of(point, "LATER") == "Blocked"
        table = "value,kind,status,parent,expires_at\nLATER,ISO14443,Accepted,,\nOTHER,ISO14443,Blocked,,\n"
        csv = {"Content-Type": "text/csv"}
        status, imported = await request(platform, "POST", "/api/v1/tokens/import", content=table, headers=csv)
        assert (status, imported["taken"], imported["new"]) == (200, 2, 1)
        assert (await status_of(point, "LATER"), await status_of(point, "OTHER")) == ("Accepted", "Blocked")
        await request(platform, "POST", "/api/v1/tokens/remove", json={"value": "LATER"})
        assert await status_of(point, "LATER") == "Invalid"


async def test_a_rejected_token_in_the_middle_is_noted(platform: RunningPlatform) -> None:
    """2.x may present a token after the start: the transaction goes on, and says that its token was rejected."""
    protocol = "ocpp2.0.1"
    async with peer(platform.url, "MIDDLE", protocol) as point:
        await point.call(event(protocol, "Started", 0, 0, "CablePluggedIn", 100, evse={"id": 1}))
        presented = {"id_token": "TAG-BLOCKED", "type": "ISO14443"}
        answer = await point.call(event(protocol, "Updated", 1, 1, "Authorized", id_token=presented))
        assert answer.id_token_info["status"] == "Blocked"
        await point.call(event(protocol, "Ended", 2, 2, "EVDeparted", 110, info={"stopped_reason": "DeAuthorized"}))
        await settled(platform)
    (row,) = await items(platform, "transactions", charge_point="MIDDLE")
    assert (row["energy_wh"], row["transaction"]["token_status"], row["transaction"]["flags"]) == (
        10,
        "Blocked",
        ["token_rejected"],
    )


async def test_tokens_are_personal_data(platform: RunningPlatform) -> None:
    """Neither metrics nor log nor the audit trail has one of them in clear."""
    _, audit = await request(platform, "GET", "/api/v1/audit?limit=1000")
    metrics = await asyncio.to_thread(platform.api, "GET", "/metrics")
    entries = [entry for entry in audit["items"] if entry["action"].startswith("tokens.")]
    assert len(entries) >= len(TABLE)
    for text in (metrics, "".join(platform.output), str(entries)):
        assert [token for token in ANSWERS if token in text] == []
