"""Mistakes that no single value can show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from chargenet.errors import SettingsError
from chargenet.settings.keys import value_of
from chargenet.settings.sections import Settings

MIN_TOKEN = 20
"""Characters of a token that somebody must not guess."""
_PAIRS = (("collector.tls_cert", "collector.tls_key"), ("http.tls_cert", "http.tls_key"))
_URLS = (
    "http.public_url",
    "firmware.public_url",
    "influx.url",
    "api",
    "alerts.public_url",
    "alerts.runbook_url",
    "alerts.dashboard_url",
    "billing.payments.stripe_url",
    "programs.alerts_url",
    "programs.firmware_url",
    "programs.billing_url",
    "programs.collector_url",
)


def check(settings: Settings, sources: Mapping[str, str]) -> None:
    """Raises SettingsError for the first contradiction."""
    for found in (_half_pairs, _security, _urls, _stores, _tokens, _billing, _payments, _programs):
        for key, problem in found(settings):
            raise SettingsError(sources.get(key, "default"), key, problem)


def _half_pairs(settings: Settings) -> Iterator[tuple[str, str]]:
    for first, second in _PAIRS:
        for key, other in ((first, second), (second, first)):
            if value_of(settings, key) and not value_of(settings, other):
                yield key, f"needs {other} as well"


def _security(settings: Settings) -> Iterator[tuple[str, str]]:
    collector = settings.collector
    if collector.security_profile >= 2 and not collector.tls_cert:
        yield (
            "collector.security_profile",
            f"is {collector.security_profile}, which is over TLS: set collector.tls_cert and collector.tls_key",
        )
    if collector.security_profile == 3 and not collector.client_ca:
        yield "collector.security_profile", "is 3, which checks client certificates: set collector.client_ca"


def _urls(settings: Settings) -> Iterator[tuple[str, str]]:
    for key in _URLS:
        url = value_of(settings, key)
        if url and not url.startswith(("http://", "https://")):
            yield key, f"is {url!r}, expected a URL that begins with http:// or https://"


def _stores(settings: Settings) -> Iterator[tuple[str, str]]:
    journal = settings.journal
    if journal.max_bytes < 2 * journal.segment_bytes:
        yield "journal.max_bytes", f"is {journal.max_bytes}, expected at least two segments (journal.segment_bytes)"
    if not settings.telemetry.embedded and not settings.influx.url:
        yield "telemetry.embedded", "is false and influx.url is not set: measurements would be kept nowhere"


def _tokens(settings: Settings) -> Iterator[tuple[str, str]]:
    for key in ("http.probe_token", "alerts.alertmanager_token", "programs.token"):
        token = value_of(settings, key)
        if token is not None and (len(token.reveal()) < MIN_TOKEN or not token.reveal().isascii() or " " in token.reveal()):
            yield key, f"is not usable, expected at least {MIN_TOKEN} characters of ASCII without blanks"


def _billing(settings: Settings) -> Iterator[tuple[str, str]]:
    billing = settings.billing
    if billing.time_zone not in available_timezones():
        yield "billing.time_zone", f"is {billing.time_zone!r}, expected an IANA time zone, for example Europe/Oslo"
    country = billing.seller_country
    if country and not (len(country) == 2 and country.isascii() and country.isupper()):
        yield "billing.seller_country", f"is {country!r}, expected two capitals, for example NO"
    for key in ("series", "credit_series"):
        if not re.fullmatch(r"[A-Za-z0-9]{1,16}", value_of(settings, f"billing.{key}")):
            yield f"billing.{key}", "expected 1 to 16 letters and digits"
    if billing.series == billing.credit_series:
        yield "billing.credit_series", "is the series of statements; credit notes need one of their own"


def _payments(settings: Settings) -> Iterator[tuple[str, str]]:
    chosen, here = settings.billing.payments, "billing.payments"
    days = [int(each) if each.isascii() and each.isdigit() else 0 for each in chosen.retry_days]
    if 0 in days or days != sorted(set(days)) or max(days, default=0) > 365:
        yield f"{here}.retry_days", "expected whole days that grow, from 1 to 365, for example 3, 7, 14"
    if chosen.gateway == "none":
        return
    if chosen.stripe_key is None or chosen.webhook_secret is None:
        yield f"{here}.gateway", "is stripe: set billing.payments.stripe_key and billing.payments.webhook_secret, or their files"
    elif not chosen.stripe_key.reveal().startswith(("sk_", "rk_")):
        yield f"{here}.stripe_key", "is not usable, expected a secret or restricted key, which begins with sk_ or rk_"
    url = urlsplit(chosen.stripe_url)
    if url.scheme != "https" and url.hostname not in ("127.0.0.1", "::1", "localhost"):
        yield f"{here}.stripe_url", f"is {chosen.stripe_url!r}, expected https: the key would be sent in the clear"


def _programs(settings: Settings) -> Iterator[tuple[str, str]]:
    chosen = settings.programs
    for name in chosen.apart:
        if chosen.token is None:
            yield (
                f"programs.{name}_url",
                "is set, so that it runs apart: set programs.token or programs.token_file as well, to the same everywhere",
            )
        if settings.sql.url is None:
            yield f"programs.{name}_url", "is set, so that it runs apart: set sql.url to a PostgreSQL that all of them reach"
