"""Customers, contracts and their tokens in memory: the fake of `billing_reports.store.CustomerStore`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from billing_reports.customers import Contract, ContractToken, Customer, Payer, token_at
from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.storage import paging
from chargenet.stores import Page

replace = msgspec.structs.replace


class MemoryCustomers:
    """Implements `billing_reports.store.CustomerStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._customers: dict[str, Customer] = {}
        self._contracts: dict[str, Contract] = {}
        self._tokens: dict[tuple[str, datetime], ContractToken] = {}

    def _asked(self) -> None:
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def put(self, rows: Sequence[Customer]) -> None:
        self._asked()
        self._customers |= {each.customer_id: each for each in rows}

    async def customer(self, customer_id: str) -> Customer:
        self._asked()
        if customer_id not in self._customers:
            raise NotFound("customer", customer_id)
        return self._customers[customer_id]

    async def created(self, customer_ids: Sequence[str]) -> dict[str, datetime]:
        self._asked()
        known = (self._customers[each] for each in customer_ids if each in self._customers)
        return {each.customer_id: each.created_at for each in known if each.created_at is not None}

    async def page(self, *, search: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        self._asked()
        limit, wanted = paging.bounded(limit), (search or "").lower()
        key = paging.decode(cursor, str) or ("",)
        found = [
            each
            for each in self._sorted(str(key[0]))
            if wanted in each.party.name.lower() or wanted in each.customer_id.lower()
        ]  # fmt: skip
        return paging.page(found[: limit + 1], limit, lambda row: (row.customer_id,))

    def _sorted(self, after: str = "") -> list[Customer]:
        return [self._customers[name] for name in sorted(self._customers) if name > after]

    async def zones(self) -> dict[str, int]:
        self._asked()
        found: dict[str, int] = {}
        for each in sorted(self._customers.values(), key=lambda one: one.time_zone):
            found[each.time_zone] = found.get(each.time_zone, 0) + 1
        return found

    async def after(self, customer_id: str, limit: int = 500) -> list[Customer]:
        self._asked()
        return self._sorted(customer_id)[:limit]

    async def in_zone(self, time_zone: str, after: str = "", limit: int = 500) -> list[Customer]:
        self._asked()
        return [each for each in self._sorted(after) if each.time_zone == time_zone][:limit]

    async def put_contracts(self, rows: Sequence[Contract]) -> None:
        self._asked()
        for missing in sorted({each.customer_id for each in rows} - set(self._customers)):
            raise NotFound("customer", missing)
        for each in rows:
            old = self._contracts.get(each.contract_id)
            if old is not None and old.customer_id != each.customer_id:
                raise Conflict(f"the contract {each.contract_id} belongs to customer {old.customer_id}")
        self._contracts |= {each.contract_id: each for each in rows}

    async def contracts(self, customer_ids: Sequence[str]) -> dict[str, list[Contract]]:
        self._asked()
        wanted, found = set(customer_ids), dict[str, list[Contract]]()
        for name in sorted(self._contracts):
            each = self._contracts[name]
            if each.customer_id in wanted:
                found.setdefault(each.customer_id, []).append(each)
        return found

    async def put_tokens(self, rows: Sequence[ContractToken]) -> None:
        """A token that another contract pays for at the same time is taken from it: its former assignment ends there."""
        self._asked()
        for missing in sorted({each.contract_id for each in rows} - set(self._contracts)):
            raise NotFound("contract", missing)
        for each in rows:
            for key, old in self._tokens.items():
                running = old.valid_to is None or old.valid_to > each.valid_from
                if old.key == each.key and old.valid_from < each.valid_from and running:
                    self._tokens[key] = replace(old, valid_to=each.valid_from)
        self._tokens |= {(each.key, each.valid_from): each for each in rows}

    async def tokens(self, contract_ids: Sequence[str]) -> dict[str, list[ContractToken]]:
        self._asked()
        wanted, found = set(contract_ids), dict[str, list[ContractToken]]()
        for key in sorted(self._tokens):
            each = self._tokens[key]
            if each.contract_id in wanted:
                found.setdefault(each.contract_id, []).append(each)
        return found

    async def payer(self, token_key: str, at: datetime) -> Payer | None:
        self._asked()
        token = token_at([each for each in self._tokens.values() if each.key == token_key], at)
        if token is None:
            return None
        contract = self._contracts[token.contract_id]
        return Payer(self._customers[contract.customer_id], contract)
