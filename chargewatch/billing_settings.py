"""Settings → what billing needs of them. Decided here: nothing; the meaning of each is in docs/settings.md."""

from __future__ import annotations

import os
import random
from datetime import timedelta

from billing_reports.house import House
from billing_reports.judge import Rules
from billing_reports.party import Party
from billing_reports.payments.port import PaymentGateway
from billing_reports.payments.schedule import Terms
from chargenet.settings import BillingSettings, PaymentSettings


def seller_of(billing: BillingSettings) -> Party:
    """The seller on statements."""
    return Party(
        name=billing.seller_name,
        street=billing.seller_street,
        city=billing.seller_city,
        postal_code=billing.seller_postal_code,
        country=billing.seller_country,
        vat_id=billing.seller_vat_id,
        tax_number=billing.seller_tax_number,
        register=billing.seller_register,
        email=billing.seller_email,
        phone=billing.seller_phone,
        website=billing.seller_website,
        bank=billing.seller_bank,
        iban=billing.seller_iban,
        bic=billing.seller_bic,
    )


def rules_of(billing: BillingSettings) -> Rules:
    """What judging a transaction needs."""
    return Rules(billing.default_tariff, billing.time_zone, timedelta(seconds=billing.plug_out_wait_s))


def house_of(billing: BillingSettings) -> House:
    """What making statements needs."""
    return House(
        seller=seller_of(billing),
        series=billing.series,
        credit_series=billing.credit_series,
        payment_days=billing.payment_days,
        runs=billing.runs,
        run_day=billing.run_day,
        run_hour=billing.run_hour,
        workers=billing.workers or os.cpu_count() or 1,
    )


def terms_of(payments: PaymentSettings) -> Terms:
    """What deciding about payments needs."""
    return Terms(
        retry_days=tuple(int(each) for each in payments.retry_days),
        smallest=payments.smallest,
        confirm_within=timedelta(seconds=payments.confirm_within_s),
        use_within=timedelta(seconds=payments.use_within_s),
        hold_lasts=timedelta(days=payments.hold_days),
    )


def gateway_of(payments: PaymentSettings) -> PaymentGateway | None:
    """The gateway that is set; None: payments are off."""
    if payments.gateway == "none" or payments.stripe_key is None or payments.webhook_secret is None:
        return None
    from billing_reports.payments.stripe import StripeGateway  # with an HTTP client, which takes its time to import

    return StripeGateway(
        payments.stripe_key, payments.webhook_secret, payments.stripe_url, payments.timeout_s, payments.webhook_tolerance_s,
        random.random,
    )  # fmt: skip
