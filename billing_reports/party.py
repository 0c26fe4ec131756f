"""Who sells and who pays, as statements name them. Decided here: what may be known of a party; not what the law wants of it."""

from __future__ import annotations

import msgspec


class Party(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A seller or a buyer. `country` is ISO 3166-1 (two capitals); empty text: not known."""

    name: str
    street: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    vat_id: str = ""
    """With its country's letters: DE123456789."""
    tax_number: str = ""
    """The national number of sellers without VAT id."""
    register: str = ""
    """Trade register and number, as printed: HRB 1234, Amtsgericht Köln."""
    email: str = ""
    phone: str = ""
    website: str = ""
    bank: str = ""
    iban: str = ""
    bic: str = ""
