"""The CDR and what it is made of. Decided here: its words, that it never changes, and what a correction looks like.

`Usage` is what was used (the input of the price), `PricedCdr` what it costs (its output), `Cdr` both with who, where and by which
evidence. Energies are integer Wh, instants UTC, amounts exact Decimals in the CDR's currency.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from billing_reports.tariff import Dimension, Tariff

ID_LENGTH = 39
"""Longest id of a CDR (OCPI CiString(39))."""


class PeriodKind(StrEnum):
    """What the connector did during a charging period."""

    CHARGING = "CHARGING"
    PARKING = "PARKING"
    """The vehicle requests no power (SuspendedEV, or plugged after the end); throttling by the EVSE is charging."""
    RESERVATION = "RESERVATION"


class ChargingPeriod(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch of a transaction during which power and current count as constant. `[start_at, end_at)`, UTC.

    Unknown power or current is None: restrictions on it do not match, and the CDR says so.
    """

    start_at: datetime
    end_at: datetime
    kind: PeriodKind = PeriodKind.CHARGING
    energy_wh: int = 0
    """Negative when the vehicle delivered energy."""
    fraction_mwh: int = 0
    """Thousandths of a Wh on top of `energy_wh`, 0 to 999; only CDRs of others have them."""
    time_ms: int | None = None
    """Billable time; None is from start to end. CDRs of others may state less, or 0 where they state none."""
    min_power_w: int | None = None
    max_power_w: int | None = None
    min_current_ma: int | None = None
    """Milliamperes, summed over phases."""
    max_current_ma: int | None = None
    tariff_id: str | None = None
    """None: the tariff of the CDR."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a price is made for: periods in order, without overlap, and the site's time zone (IANA name)."""

    periods: tuple[ChargingPeriod, ...]
    time_zone: str = "UTC"
    reservation_expired: bool = False

    @property
    def energy_wh(self) -> int:
        """Whole Wh of all periods."""
        return sum(1000 * each.energy_wh + each.fraction_mwh for each in self.periods) // 1000


class PricedLine(msgspec.Struct, frozen=True):
    """What one dimension costs in one priced period, and why.

    `measured` and `billed` are Wh (ENERGY), seconds (times) or 1 (FLAT); `billed` has what the step size added.
    What was used but no element prices is a line without price, and its `rule` begins with "free".
    """

    dimension: Dimension
    measured: Decimal
    billed: Decimal
    price: Decimal | None
    """Per kWh, hour or transaction, as in the tariff (gross where the tariff includes taxes)."""
    vat: Decimal | None
    """Percent; None = no VAT applies."""
    before_taxes: Decimal
    after_taxes: Decimal
    element: int | None
    """Index of the tariff element whose price component this is, from 0."""
    rule: str
    """Why this price, for people: `element 2: from 17:00 to 20:00`, `free: no element prices PARKING_TIME`, …"""

    @property
    def taxes(self) -> Decimal:
        """after - before."""
        return self.after_taxes - self.before_taxes


class PricedPeriod(msgspec.Struct, frozen=True):
    """A stretch in which every dimension has one price. `source` is the index of the (first) charging period it is cut from."""

    start_at: datetime
    end_at: datetime
    kind: PeriodKind
    source: int
    tariff_id: str
    lines: tuple[PricedLine, ...]


class AdjustmentKind(StrEnum):
    """What changes the sum of the lines."""

    MINIMUM = "minimum_price"
    MAXIMUM = "maximum_price"
    IDLE_CAP = "idle_cap"
    FREE_VEND = "free_vend"
    INCLUDED_ENERGY = "included_energy"


class Adjustment(msgspec.Struct, frozen=True):
    """A line of its own that brings the sum to a limit, per VAT rate (percent, or None)."""

    kind: AdjustmentKind
    vat: Decimal | None
    before_taxes: Decimal
    after_taxes: Decimal
    rule: str


class Price(msgspec.Struct, frozen=True):
    """An amount before and after taxes."""

    before_taxes: Decimal = Decimal(0)
    after_taxes: Decimal = Decimal(0)

    @property
    def taxes(self) -> Decimal:
        """after - before."""
        return self.after_taxes - self.before_taxes


class TaxAmount(msgspec.Struct, frozen=True):
    """The tax of one rate in a sum; `base` is what it is on."""

    name: str
    percentage: Decimal
    base: Decimal
    amount: Decimal


class Totals(msgspec.Struct, frozen=True):
    """Sums over the breakdown. Flat fees of parking and reservation count there, not under `fixed`.

    `cost` is the sum of the parts and the adjustments. `energy_wh` and the times (seconds) are measured, not billed, volumes;
    `total_time_s` contains parking and not reservation.
    """

    cost: Price
    fixed: Price
    energy: Price
    time: Price
    parking: Price
    reservation: Price
    adjustments: Price
    taxes: tuple[TaxAmount, ...]
    energy_wh: Decimal
    total_time_s: Decimal
    parking_time_s: Decimal
    reservation_time_s: Decimal


class PricedCdr(msgspec.Struct, frozen=True):
    """A price with its whole breakdown. Every total is the exact sum of what is shown above it."""

    currency: str
    tariff_id: str
    time_zone: str
    periods: tuple[PricedPeriod, ...]
    adjustments: tuple[Adjustment, ...]
    totals: Totals
    flags: tuple[str, ...] = ()
    """Doubts: `power_unknown`, `current_unknown`, `tax_unknown`, …; `billing_reports.price.FLAGS` explains each."""


class SignedReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """A signed meter value to the byte, as the charge point sent it."""

    encoding: str
    """OCMF, EDL, …"""
    payload: str
    public_key: str | None = None
    context: str | None = None
    """Transaction.Begin, Transaction.End or another reading context."""
    verdict: str = "unverified"
    """valid, invalid or unverified."""
    reason: str | None = None
    sequence: int | None = None
    """The journal's record with the frame it came in."""
    key_source: str | None = None
    """Whose key the verdict rests on: `registered` by the operator, or `sent` with the value; None where nothing was verified."""
    sent_key: str | None = None
    """The key that came with it."""


class TracePoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One report that the CDR rests on, and what was made of it."""

    sequence: int
    """The journal's record with the frame."""
    at: datetime
    """The instant that counts: the device's clock where it is sane, else ours."""
    what: str
    """start, reading, stop, state, or after_stop."""
    register_wh: int | None = None
    """As reported."""
    energy_wh: int | None = None
    """Energy of the transaction up to here, after dips, rollover and a swapped meter; None where the report has no part in it."""
    note: str = ""
    """Why it counts otherwise than reported: dip, rollover, late, outside, …"""


class CdrTrace(msgspec.Struct, frozen=True, omit_defaults=True):
    """From a CDR back to the frames: journal sequences of the records it rests on, and the registers it subtracts.

    `points` in order of time: the energy of each charging period is the difference of `energy_wh` at its ends.
    """

    first_sequence: int | None = None
    last_sequence: int | None = None
    start_sequence: int | None = None
    stop_sequence: int | None = None
    start_register_wh: int | None = None
    stop_register_wh: int | None = None
    readings: int = 0
    points: tuple[TracePoint, ...] = ()


class Cdr(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The priced record of one transaction. Never edited: `credit` and a new CDR correct it.

    `tariff` is the snapshot it was priced by. In a credit CDR only `total` differs from its original: it is negated.
    """

    id: str
    created_at: datetime
    started_at: datetime
    ended_at: datetime
    currency: str
    total: Price
    usage: Usage
    priced: PricedCdr
    tariff: Tariff
    charge_point_id: str | None = None
    connector: str | None = None
    site_id: str | None = None
    transaction_id: str | None = None
    id_token: str | None = None
    """Personal data: never a label, hashed in logs."""
    customer_id: str | None = None
    contract_id: str | None = None
    meter_id: str | None = None
    estimated: bool = False
    flags: tuple[str, ...] = ()
    signed: tuple[SignedReading, ...] = ()
    trace: CdrTrace = CdrTrace()
    home_charging_compensation: bool = False
    """The owner of the connector is paid for it, and nobody is charged."""
    remark: str | None = None
    credit: bool = False
    credit_reference_id: str | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.id) <= ID_LENGTH:
            raise ValueError(f"the id of a CDR has 1 to {ID_LENGTH} characters, not {len(self.id)}: {self.id!r}")


def credit_of(cdr: Cdr, credit_id: str, created_at: datetime, remark: str | None = None) -> Cdr:
    """The CDR that takes `cdr` back: all of it copied, only the total negated (OCPI 2.3.0 mod_cdrs, credit CDRs).

    Raises ValueError for a CDR that is itself a credit, or for its own id.
    """
    if cdr.credit:
        raise ValueError(f"CDR {cdr.id} is a credit itself: write a new CDR instead")
    if credit_id == cdr.id:
        raise ValueError(f"a credit CDR needs an id of its own, not {credit_id}")
    negated = Price(-cdr.total.before_taxes, -cdr.total.after_taxes)
    changed = {"id": credit_id, "created_at": created_at, "total": negated, "credit": True, "credit_reference_id": cdr.id}
    return msgspec.structs.replace(cdr, **changed, remark=remark or cdr.remark)
