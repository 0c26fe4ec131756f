"""The seller's side of statements. Decided here: what it must say before a statement may be issued."""

from __future__ import annotations

from typing import Literal

import msgspec

from billing_reports.party import Party


class House(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells, and how statements are made and numbered."""

    seller: Party
    series: str = "ST"
    credit_series: str = "CN"
    payment_days: int = 14
    runs: Literal["manual", "draft", "final"] = "draft"
    run_day: int = 2
    run_hour: int = 3
    workers: int = 1


def missing(seller: Party) -> list[str]:
    """What the law wants on an invoice (directive 2006/112/EC, art. 226) and this seller does not say, as settings."""
    wanted = ("name", "street", "city", "country")
    found = [f"billing.seller_{name}" for name in wanted if not getattr(seller, name)]
    if not seller.vat_id and not seller.tax_number:
        found.append("billing.seller_vat_id")
    return found
