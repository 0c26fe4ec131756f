"""Token table, directory and key ring: what they answer from memory, and that a refresh and a change do not undo each other."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.model.ids import IdToken
from chargenet.model.station import ChargePointRegistration
from chargenet.model.token import TokenRow
from chargenet.model.words import TokenKind
from chargenet.ports import TokenAnswer
from chargenet.storage.caches import CachedDirectory, CachedTokens
from chargenet.storage.key_ring import StoredKeyRing, hash_secret
from chargenet.testing import MemoryStores

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def tokens_with(*rows: TokenRow, unknown: str = "accept") -> CachedTokens:
    """A table of these rows."""
    table = CachedTokens(MemoryStores().tokens, unknown=unknown)
    await table.put(rows)
    return table


async def test_a_known_token_is_answered_from_the_table() -> None:
    """Status, parent and expiry; in any spelling of its case."""
    until = NOW + timedelta(days=1)
    table = await tokens_with(TokenRow(value="AbC", parent="fleet", expires_at=until))
    assert table.authorize(IdToken("aBC"), NOW) == TokenAnswer("Accepted", "fleet", until)


@pytest.mark.parametrize("status", ["Blocked", "Invalid", "Expired"])
async def test_a_status_other_than_accepted_stands(status: str) -> None:
    """Whatever its expiry says."""
    table = await tokens_with(TokenRow(value="A", status=status, expires_at=NOW - timedelta(days=1)))
    assert table.authorize(IdToken("A"), NOW).status == status


async def test_an_accepted_token_expires() -> None:
    """After its instant, not at it."""
    table = await tokens_with(TokenRow(value="A", expires_at=NOW))
    assert table.authorize(IdToken("A"), NOW).status == "Accepted"
    assert table.authorize(IdToken("A"), NOW + timedelta(microseconds=1)).status == "Expired"


@pytest.mark.parametrize(("policy", "status"), [("accept", "Accepted"), ("reject", "Invalid")])
async def test_an_unknown_token_is_answered_by_policy(policy: str, status: str) -> None:
    """accept on a first run, Invalid else."""
    table = await tokens_with(unknown=policy)
    assert table.authorize(IdToken("A"), NOW) == TokenAnswer(status)


async def test_a_start_button_needs_no_token() -> None:
    """OCPP 2.x NoAuthorization is accepted also where unknown tokens are not."""
    table = await tokens_with(unknown="reject")
    assert table.authorize(IdToken("", TokenKind.NO_AUTHORIZATION), NOW).status == "Accepted"


async def test_a_removed_token_is_unknown_at_once() -> None:
    """Without a refresh."""
    table = await tokens_with(TokenRow(value="A"), unknown="reject")
    await table.remove("a")
    assert table.authorize(IdToken("A"), NOW).status == "Invalid"
    with pytest.raises(NotFound):
        await table.remove("a")


async def test_a_refresh_brings_changes_of_another_process() -> None:
    """New, changed and removed rows."""
    stores = MemoryStores()
    table = CachedTokens(stores.tokens, unknown="reject")
    await table.put([TokenRow(value="gone"), TokenRow(value="changed")])
    await stores.tokens.put([TokenRow(value="new"), TokenRow(value="changed", status="Blocked")])
    await stores.tokens.remove("gone")
    await table.refresh()
    answers = [table.authorize(IdToken(value), NOW).status for value in ("new", "changed", "gone")]
    assert answers == ["Accepted", "Blocked", "Invalid"]


class SlowTokens:
    """A token store whose `everything` gives what was there when it was asked, only later."""

    def __init__(self, stores: MemoryStores) -> None:
        self._tokens = stores.tokens
        self.put, self.remove, self.get, self.page = self._tokens.put, self._tokens.remove, self._tokens.get, self._tokens.page
        self.release = asyncio.Event()

    async def everything(self) -> list[TokenRow]:
        rows = await self._tokens.everything()
        await self.release.wait()
        return rows


async def test_a_refresh_that_began_before_a_change_does_not_undo_it() -> None:
    """A token blocked while the table is being read stays blocked."""
    store = SlowTokens(MemoryStores())
    await store.put([TokenRow(value="A"), TokenRow(value="B")])
    table = CachedTokens(store, unknown="reject")
    refresh = asyncio.create_task(table.refresh())
    await asyncio.sleep(0)
    await table.put([TokenRow(value="A", status="Blocked")])
    await table.remove("B")
    store.release.set()
    await refresh
    assert [table.authorize(IdToken(value), NOW).status for value in ("A", "B")] == ["Blocked", "Invalid"]


async def test_when_the_store_is_away_what_is_known_stays() -> None:
    """A refresh that fails says so and changes nothing; afterwards nothing is left of it."""

    class Away(SlowTokens):
        async def everything(self) -> list[TokenRow]:
            raise StoreUnavailable("sql", "away")

    table = CachedTokens(Away(MemoryStores()), unknown="reject")
    await table.put([TokenRow(value="A")])
    with pytest.raises(StoreUnavailable):
        await table.refresh()
    assert table.authorize(IdToken("A"), NOW).status == "Accepted"


async def test_the_directory_knows_a_registration_at_once() -> None:
    """Put, find, refresh, remove."""
    stores = MemoryStores()
    directory = CachedDirectory(stores.registrations)
    await directory.put(ChargePointRegistration(charge_point_id="CP1", registration="Rejected", password_hash="h"))
    await stores.registrations.put(ChargePointRegistration(charge_point_id="CP2", registration="Pending"))
    entry = directory.find("CP1")
    assert entry is not None
    assert (entry.registration, entry.password_hash) == ("Rejected", "h")
    assert directory.find("CP2") is None
    await directory.refresh()
    assert len(directory) == 2
    await directory.remove("CP1")
    assert directory.find("CP1") is None


async def test_a_key_works_until_it_is_revoked() -> None:
    """Its secret is shown once, kept hashed, and refused from the moment it is revoked."""
    stores = MemoryStores()
    ring = StoredKeyRing(stores.keys)
    assert ring.empty
    new = await ring.create("grafana", "viewer", NOW)
    assert new.secret.startswith(f"cw_{new.key.key_id}_")
    assert ring.authenticate(new.secret, NOW) == new.key
    [stored] = await stores.keys.everything()
    assert stored.secret_hash == hash_secret(new.secret)
    assert new.secret not in repr(new)
    assert new.secret not in repr(stored)
    await ring.revoke(new.key.key_id, NOW)
    assert ring.authenticate(new.secret, NOW) is None
    assert ring.empty


@pytest.mark.parametrize("secret", ["", "cw", "cw__", "cw_x_y", "x" * 10_000, "cw_ü_\ud800", "Bearer cw_1_2"])
async def test_what_is_no_key_is_nobody(secret: str) -> None:
    """Any text is an answer, never an error."""
    ring = StoredKeyRing(MemoryStores().keys)
    await ring.create("a", "admin", NOW)
    assert ring.authenticate(secret, NOW) is None


async def test_the_secret_of_one_key_does_not_open_another() -> None:
    """The id only finds the row."""
    ring = StoredKeyRing(MemoryStores().keys)
    first, second = await ring.create("a", "admin", NOW), await ring.create("b", "viewer", NOW)
    mixed = f"cw_{first.key.key_id}_{second.secret.split('_', 2)[2]}"
    assert ring.authenticate(mixed, NOW) is None
    assert ring.authenticate(first.secret + "x", NOW) is None


async def test_keys_of_another_process_arrive_and_uses_are_written() -> None:
    """By refresh: new keys, revocations, and when each key was used last."""
    stores = MemoryStores()
    ours, theirs = StoredKeyRing(stores.keys), StoredKeyRing(stores.keys)
    new = await theirs.create("a", "operator", NOW)
    assert ours.authenticate(new.secret, NOW) is None
    await ours.refresh()
    assert ours.authenticate(new.secret, NOW) is not None
    await ours.refresh()
    assert (await stores.keys.everything())[0].key.last_used_at == NOW
    await theirs.revoke(new.key.key_id, NOW)
    await ours.refresh()
    assert ours.authenticate(new.secret, NOW) is None


@pytest.mark.parametrize(("name", "role"), [("", "viewer"), ("  ", "viewer"), ("a", "root"), ("a", "")])
async def test_a_key_needs_a_name_and_a_known_role(name: str, role: str) -> None:
    """A typing mistake never makes a key with some role or other."""
    with pytest.raises(Conflict):
        await StoredKeyRing(MemoryStores().keys).create(name, role, NOW)
