"""Money: an exact decimal amount with its currency. Decided here: how amounts round and how they are written; not what costs what.

Amounts on CDRs are exact (at most 12 decimals); they become cents once, on the line of a statement, half up
(EN 16931 adds what was rounded, so nothing is rounded twice).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

import msgspec

PLACES = 12
"""Decimals that an amount on a CDR can have; a third of a cent is rounded there, half up."""
PICO: int = 10**PLACES
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_scaled, _normal = _EXACT.scaleb, _EXACT.normalize
# ISO 4217: decimals that are not 2.
_WITHOUT_CENTS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_WITH_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount with its currency (ISO 4217, three capitals). In JSON: `{"amount": "5.00", "currency": "EUR"}`.

    Adding different currencies raises ValueError: there is no rate here.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError(f"an amount of money is a number, not {self.amount}")
        if len(self.currency) != 3 or not (self.currency.isascii() and self.currency.isupper()):
            raise ValueError(f"a currency is three capital letters of ISO 4217, not {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        return Money(_EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> Money:
        return Money(_EXACT.minus(self.amount), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(_EXACT.multiply(self.amount, Decimal(factor)), self.currency)

    def __str__(self) -> str:
        return f"{decimal_text(self.amount, minor_units(self.currency))} {self.currency}"

    @property
    def rounded(self) -> Money:
        """In whole minor units (cents), half up: 0.005 becomes 0.01, -0.005 becomes -0.01."""
        return Money(round_amount(self.amount, minor_units(self.currency)), self.currency)

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return other.amount


def minor_units(currency: str) -> int:
    """Decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD."""
    if currency in _WITHOUT_CENTS:
        return 0
    return 3 if currency in _WITH_THOUSANDTHS else 2


def round_amount(amount: Decimal, places: int) -> Decimal:
    """`amount` with `places` decimals, half up (away from zero at the half)."""
    return amount.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def decimal_text(amount: Decimal, least: int = 2) -> str:
    """Plain digits without exponent, all that matter and at least `least` decimals: 5 → "5.00", 0.031250 → "0.03125"."""
    whole, _, decimals = f"{amount:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    text = f"{whole}.{decimals}" if decimals else whole
    return text.removeprefix("-") if not amount else text


def total(amounts: Iterable[Decimal]) -> Decimal:
    """An exact sum; 0 of nothing."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def round_half_up(numerator: int, denominator: int) -> int:
    """The integer nearest to numerator/denominator; a half goes away from zero. `denominator` is positive."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))


_ZERO = Decimal("0.00")
"""Most amounts of a breakdown."""


def from_pico(pico: int) -> Decimal:
    """An amount from its integer count of 10⁻¹² currency units, without superfluous zeros behind the cents."""
    if not pico:
        return _ZERO
    whole, rest = divmod(pico, 10_000_000_000)
    if not rest:
        return _scaled(whole, -2)
    return _normal(_scaled(pico, -PLACES))


def to_pico(amount: Decimal) -> int:
    """The inverse of `from_pico`; more decimals than 12 round half up."""
    return int(round_amount(amount, PLACES).scaleb(PLACES, _EXACT))


def allocate(whole: int, weights: Sequence[int]) -> list[int]:
    """Parts of `whole` in proportion to `weights` (none negative) that sum to it exactly, by largest remainder.

    Equal remainders favour the earlier part. All weights zero: everything goes to the first part.
    """
    if not weights:
        raise ValueError("there is nothing to allocate to")
    if any(weight < 0 for weight in weights):
        raise ValueError("weights are not negative")
    base = sum(weights)
    if base == 0:
        return [whole, *([0] * (len(weights) - 1))]
    parts = [whole * weight // base for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(whole * weights[index] % base), index))
    for index in order[: whole - sum(parts)]:
        parts[index] += 1
    return parts
