"""What an operator grants beyond OCPI. Decided here: which grants there are; `price` applies them, one by one and visibly."""

from __future__ import annotations

import msgspec

from billing_reports.tariff import PriceLimit


class PricingPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Grants to one customer group or site; the default grants nothing."""

    flat_without_energy: bool = True
    """False: a transaction without energy pays neither a flat fee nor the minimum price."""
    idle_grace_s: int = 0
    """Seconds after each end of charging for which parking time costs nothing."""
    idle_cap: PriceLimit | None = None
    """The most that parking costs in one transaction."""
    free_vend: bool = False
    """Everything is measured and listed, nothing is charged."""


DEFAULT = PricingPolicy()
