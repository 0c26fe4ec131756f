"""What all SQL stores promise of primary data and pages: the fake, SQLite and a real PostgreSQL pass the same suite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargenet.errors import Conflict, NotFound
from chargenet.model.audit import AuditEntry
from chargenet.model.key import Key, StoredKey
from chargenet.model.station import ChargePointRegistration, Site
from chargenet.model.token import TokenRow
from chargenet.stores import Page, Stores
from tests.support.postgres import postgres
from tests.support.stores import stores

__all__ = ["postgres", "stores"]

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


async def all_pages(read: Callable[..., Awaitable[Page[Any]]], limit: int, **filters: Any) -> list[Any]:
    """Every row of a listing, page by page."""
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        page = await read(cursor=cursor, limit=limit, **filters)
        assert len(page.items) <= limit
        rows += page.items
        if page.next_cursor is None:
            return rows
        cursor = page.next_cursor


async def test_a_site_is_replaced_and_the_row_before_is_given(stores: Stores) -> None:
    """put creates, then replaces; each answers with what was there."""
    first = Site(site_id="depot", name="Depot", latitude=59.91, longitude=10.75, time_zone="Europe/Oslo")
    assert await stores.sites.put(first) is None
    second = Site(site_id="depot", name="Depot North")
    assert await stores.sites.put(second) == first
    assert await stores.sites.get("depot") == second


async def test_a_site_with_charge_points_is_not_removed(stores: Stores) -> None:
    """Removing it would leave registrations that name nothing."""
    await stores.sites.put(Site(site_id="depot", name="Depot"))
    await stores.registrations.put(ChargePointRegistration(charge_point_id="CP1", registration="Accepted", site_id="depot"))
    with pytest.raises(Conflict, match="still has 1 charge points"):
        await stores.sites.remove("depot")
    await stores.registrations.remove("CP1")
    assert (await stores.sites.remove("depot")).name == "Depot"
    with pytest.raises(NotFound):
        await stores.sites.remove("depot")


async def test_a_registration_needs_a_known_site(stores: Stores) -> None:
    """A typing mistake in a site id is an error, not a new site."""
    with pytest.raises(NotFound, match="site 'nowhere'"):
        await stores.registrations.put(ChargePointRegistration(charge_point_id="CP1", registration="Accepted", site_id="nowhere"))
    assert await stores.registrations.get("CP1") is None


async def test_registrations_come_back_as_they_were_put(stores: Stores) -> None:
    """Every field survives, instants to the microsecond, and its repr keeps the password hash to itself."""
    row = ChargePointRegistration(
        charge_point_id="CP 1/ü", registration="Pending", password_hash="hash", note="by the gate", created_at=NOW, updated_at=NOW
    )
    assert await stores.registrations.put(row) is None
    assert await stores.registrations.everything() == [row]
    assert (await stores.registrations.remove("CP 1/ü")) == row
    assert "hash" not in repr(row)
    with pytest.raises(NotFound):
        await stores.registrations.remove("CP 1/ü")


async def test_tokens_are_keyed_without_regard_to_case(stores: Stores) -> None:
    """OCPP 1.6 compares idTags so; putting the other spelling replaces, and keeps when it was created."""
    assert await stores.tokens.put([TokenRow(value="AbC1", created_at=NOW), TokenRow(value="other", created_at=NOW)]) == 2
    later = NOW + timedelta(days=1)
    assert await stores.tokens.put([TokenRow(value="ABC1", status="Blocked", created_at=later, updated_at=later)]) == 0
    found = await stores.tokens.get("abc1")
    assert found == TokenRow(value="ABC1", status="Blocked", created_at=NOW, updated_at=later)
    assert (await stores.tokens.remove("aBc1")) == found
    with pytest.raises(NotFound):
        await stores.tokens.remove("abc1")


async def test_of_two_spellings_in_one_put_the_last_wins(stores: Stores) -> None:
    """One batch never stores one token twice."""
    assert await stores.tokens.put([TokenRow(value="A1", note="first"), TokenRow(value="a1", note="second")]) == 1
    assert [row.note for row in await stores.tokens.everything()] == ["second"]


async def test_tokens_are_listed_by_key_in_pages(stores: Stores) -> None:
    """No row is missed or shown twice, the order is that of the bytes, filters hold on each page."""
    values = ["b", "A", "_x", "c%", "ä", "Z9", "z10"]
    await stores.tokens.put([TokenRow(value=value, status="Blocked" if value < "b" else "Accepted") for value in values])
    rows = await all_pages(stores.tokens.page, 2)
    assert [row.key for row in rows] == sorted(value.casefold() for value in values)
    blocked = await all_pages(stores.tokens.page, 1, status="Blocked")
    assert {row.value for row in blocked} == {value for value in values if value < "b"}


async def test_a_search_takes_wildcards_literally(stores: Stores) -> None:
    """% and _ in a search are characters of the token."""
    await stores.tokens.put([TokenRow(value="a%b"), TokenRow(value="a_b"), TokenRow(value="axb")])
    assert [row.value for row in (await stores.tokens.page(search="A%")).items] == ["a%b"]
    assert [row.value for row in (await stores.tokens.page(search="a_")).items] == ["a_b"]


async def test_thousands_of_tokens_fit_one_put(stores: Stores) -> None:
    """A put is not limited by how many values one statement may name."""
    rows = [TokenRow(value=f"T{number:06}") for number in range(3_000)]
    assert await stores.tokens.put(rows) == 3_000
    assert await stores.tokens.put(rows) == 0
    assert len(await stores.tokens.everything()) == 3_000


async def test_text_that_no_database_takes_does_not_block(stores: Stores) -> None:
    """U+0000 is replaced, numbers end at 64 bits: what a charge point sends can never make a write fail for ever."""
    await stores.sites.put(Site(site_id="s", name="a\x00b"))
    site = await stores.sites.get("s")
    assert site is not None
    assert site.name == "a\ufffdb"


async def test_a_key_id_is_given_once(stores: Stores) -> None:
    """Adding an id again is a conflict and changes nothing."""
    first = StoredKey(Key(key_id="k1", name="first", role="viewer", created_at=NOW), "h1")
    await stores.keys.add(first)
    with pytest.raises(Conflict):
        await stores.keys.add(StoredKey(Key(key_id="k1", name="second", role="admin", created_at=NOW), "h2"))
    assert await stores.keys.everything() == [first]
    assert "h1" not in repr(first)


async def test_a_revoked_key_keeps_its_first_instant(stores: Stores) -> None:
    """Revoking twice tells when it was revoked, not when somebody tried again."""
    await stores.keys.add(StoredKey(Key(key_id="k1", name="n", role="viewer", created_at=NOW), "h"))
    assert (await stores.keys.revoke("k1", NOW)).revoked_at == NOW
    assert (await stores.keys.revoke("k1", NOW + timedelta(hours=1))).revoked_at == NOW
    with pytest.raises(NotFound):
        await stores.keys.revoke("k2", NOW)


async def test_the_last_use_of_a_key_never_moves_back(stores: Stores) -> None:
    """Two processes may report their uses in any order."""
    await stores.keys.add(StoredKey(Key(key_id="k1", name="n", role="viewer", created_at=NOW), "h"))
    await stores.keys.touch({"k1": NOW, "unknown": NOW})
    await stores.keys.touch({"k1": NOW - timedelta(hours=1)})
    assert [stored.key.last_used_at for stored in await stores.keys.everything()] == [NOW]
    await stores.keys.touch({})


async def test_keys_are_listed_by_creation(stores: Stores) -> None:
    """Oldest first, also where two were made in the same microsecond."""
    for key_id, minutes in (("c", 0), ("a", 5), ("b", 5)):
        key = Key(key_id=key_id, name=key_id, role="viewer", created_at=NOW + timedelta(minutes=minutes))
        await stores.keys.add(StoredKey(key, "h"))
    assert [row.key_id for row in await all_pages(stores.keys.page, 1)] == ["c", "a", "b"]


async def test_the_audit_log_is_read_newest_first(stores: Stores) -> None:
    """Entries get rising ids; before and after come back as the JSON they were; filters hold over pages."""
    for number in range(5):
        entry = AuditEntry(
            at=NOW + timedelta(seconds=number),
            who="key a" if number % 2 else "cli",
            action="tokens.block",
            target=f"token {number}",
            before={"status": "Accepted"},
            after={"status": "Blocked", "n": [number, None]},
        )
        assert (await stores.audit.append(entry)).audit_id > 0
    rows = await all_pages(stores.audit.page, 2)
    assert [row.target for row in rows] == [f"token {number}" for number in (4, 3, 2, 1, 0)]
    assert rows[0].after == {"status": "Blocked", "n": [4, None]}
    assert [row.target for row in await all_pages(stores.audit.page, 1, who="key a")] == ["token 3", "token 1"]
    assert [row.target for row in await all_pages(stores.audit.page, 9, since=NOW + timedelta(seconds=4))] == ["token 4"]
    assert [row.target for row in await all_pages(stores.audit.page, 9, target="token 2", action="tokens.block")] == ["token 2"]


async def test_a_floor_only_rises(stores: Stores) -> None:
    """0 when never set; a lower value leaves it."""
    assert await stores.floors.get("transaction_id") == 0
    assert await stores.floors.raise_to("transaction_id", 7) == 7
    assert await stores.floors.raise_to("transaction_id", 3) == 7
    assert await stores.floors.get("transaction_id") == 7


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "bm90IGpzb24", "WzFd", "WyJhIiwxXQ", "W251bGxd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTld"]
)
async def test_a_cursor_that_is_not_ours_is_a_conflict(stores: Stores, cursor: str) -> None:
    """Whatever a caller writes there is refused with a sentence, never handed to the database."""
    with pytest.raises(Conflict, match="cursor"):
        await stores.tokens.page(cursor=cursor)


async def test_limits_are_cut(stores: Stores) -> None:
    """0 and less give one row, too much gives at most 1000."""
    await stores.tokens.put([TokenRow(value=f"T{number:04}") for number in range(1_200)])
    assert len((await stores.tokens.page(limit=0)).items) == 1
    assert len((await stores.tokens.page(limit=10**9)).items) == 1_000


async def test_open_stores_answer(stores: Stores) -> None:
    """check() passes while the database is there."""
    await stores.check()
