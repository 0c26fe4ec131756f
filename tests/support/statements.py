"""Statements for tests of documents: made by the product's own engine out of a month of sessions that can be checked by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from billing_reports.cdr import Cdr, CdrTrace, ChargingPeriod, PeriodKind, SignedReading, Usage
from billing_reports.cdr_row import row_of
from billing_reports.compose import Account, compose
from billing_reports.customers import Customer
from billing_reports.house import House
from billing_reports.issue import IssueReason
from billing_reports.numbering import finalized
from billing_reports.ocpi import read_tariff
from billing_reports.party import Party
from billing_reports.price import price
from billing_reports.statement import Statement, UnbilledSession

ZONE = "Europe/Berlin"
NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)
SELLER = Party(
    name="Hafenstrom GmbH", street="Kaistraße 12", city="Köln", postal_code="50678", country="DE", vat_id="DE123456789",
    register="HRB 4711, Amtsgericht Köln", email="rechnung@hafenstrom.example", phone="+49 221 555 0100",
    website="hafenstrom.example", bank="Sparkasse KölnBonn", iban="DE02370501980001802057", bic="COLSDE33",
)  # fmt: skip
BUYER = Party(
    name="Nordwind Logistik AG", street="Speicherstadt 4", city="Hamburg", postal_code="20457", country="DE", vat_id="DE987654321"
)
SIGNED = (
    'OCMF|{"FV":"1.0","GI":"SEAL AG","GS":"1850006a","PG":"T9289","RD":[{"TM":"2026-03-02T07:31:00,000+0100 S","TX":"B",'
    '"RV":1268.978,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}]}|{"SA":"ECDSA-secp256k1-SHA256","SD":"3045022100D5A1…"}'
)

SEALED = SignedReading("OCMF", SIGNED, public_key="3056301006072A8648CE3D02", context="Transaction.End")


def tariff(*, included: bool = False) -> bytes:
    """49 ct/kWh, 59 ct from 17:00 to 20:00, 6 euros an hour for parking, 35 ct to begin; 19 % VAT."""

    def component(kind: str, amount: float) -> dict[str, Any]:
        return {"type": kind, "price": amount, "vat": 19.0, "step_size": 1}

    rest = [component("ENERGY", 0.49), component("PARKING_TIME", 6.0), component("FLAT", 0.35)]
    return json.dumps(
        {
            "country_code": "DE", "party_id": "HFN", "id": "DAY-EVENING", "currency": "EUR", "type": "REGULAR",
            "tax_included": "YES" if included else "NO",
            "elements": [
                {"price_components": [component("ENERGY", 0.59)], "restrictions": {"start_time": "17:00", "end_time": "20:00"}},
                {"price_components": rest},
            ],
            "last_updated": "2026-01-01T00:00:00Z",
        }
    ).encode()  # fmt: skip


def cdr(number: int, started_at: datetime, minutes: int, energy_wh: int, parked: int = 0, *, included: bool = False) -> Cdr:
    """A session: charging, then parked."""
    middle = started_at + timedelta(minutes=minutes)
    periods = [ChargingPeriod(start_at=started_at, end_at=middle, energy_wh=energy_wh)]
    if parked:
        periods.append(ChargingPeriod(start_at=middle, end_at=middle + timedelta(minutes=parked), kind=PeriodKind.PARKING))
    usage = Usage(periods=tuple(periods), time_zone=ZONE)
    used = read_tariff(tariff(included=included), "tariff.json")
    priced = price(usage, used)
    register = 1_200_000 + 41_000 * number
    return Cdr(
        id=f"HFN-{number:05}", created_at=NOW, started_at=started_at, ended_at=periods[-1].end_at, currency="EUR",
        total=priced.totals.cost, usage=usage, priced=priced, tariff=used, charge_point_id=f"HH-{number % 3 + 1}",
        connector=str(number % 2 + 1), site_id="harbour", transaction_id=str(1000 + number), customer_id="K-1001",
        contract_id="FLEET-7", meter_id="1850006a",
        signed=(SEALED,) if number == 1 else (),
        trace=CdrTrace(
            first_sequence=900 * number, last_sequence=900 * number + 42, start_register_wh=register,
            stop_register_wh=register + energy_wh, readings=20,
        ),
    )  # fmt: skip


def month_of_sessions(count: int = 24, *, included: bool = False) -> list[Cdr]:
    """Over March 2026 in Berlin, some in the evening, some with parking."""
    first = datetime(2026, 3, 1, 6, 31, tzinfo=UTC)
    return [
        cdr(number, first + timedelta(days=number * 31 / (count + 1), hours=9 * (number % 2)), 25 + 7 * (number % 9),
            8_000 + 1_733 * (number % 13), 12 if number % 4 == 0 else 0, included=included)
        for number in range(1, count + 1)
    ]  # fmt: skip


def statement(language: str = "de", *, count: int = 24, included: bool = False, final: bool = True, **customer: Any) -> Statement:
    """A customer's March, with every CDR on it."""
    cdrs = month_of_sessions(count, included=included)
    who = Customer(customer_id="K-1001", party=BUYER, language=language, time_zone=ZONE, reference="Kostenstelle 4410", **customer)
    unbilled = UnbilledSession(
        charge_point_id="HH-2", transaction_id="1999", reason=IssueReason.REGISTER_MISSING,
        sentence="no register at its end, and no reading that could stand for it", connector="1", site_id="harbour",
        began_at=datetime(2026, 3, 17, 9, 20, tzinfo=UTC),
    )  # fmt: skip
    account = Account(customer=who, rows=tuple(row_of(each, number) for number, each in enumerate(cdrs, 1)), unbilled=(unbilled,))
    [draft] = compose(account, date(2026, 3, 1), {}, House(seller=SELLER), {"harbour": "Hafen Nord"}, NOW)
    whole = {each.id: each for each in cdrs}
    lines = tuple(msgspec.structs.replace(line, cdr=whole.get(line.cdr_id or "")) for line in draft.lines)
    made = msgspec.structs.replace(draft, lines=lines)
    return finalized(made, 42, NOW, 14) if final else made


def total_of(cdrs: list[Cdr]) -> Decimal:
    """Before taxes, exact."""
    return sum((each.total.before_taxes for each in cdrs), Decimal(0))
