"""Names, types, defaults and limits of all settings. docs/settings.md says what each one means."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chargenet.settings.values import Address, Secret

Positive = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Size = Annotated[int, Meta(ge=0, extra={"size": True})]
Seconds = Annotated[float, Meta(gt=0)]
Delay = Annotated[float, Meta(ge=0)]
UnknownPolicy = Literal["accept", "pending", "reject"]


class CollectorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How charge points connect, and the limits they live under."""

    ocpp: Address = Address("127.0.0.1:9000")
    transport: Literal["picows", "websockets"] = "picows"
    default_protocol: Literal["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] = "ocpp1.6"
    unknown_charge_points: UnknownPolicy = "accept"
    """Without a setting: accept where `ocpp` listens on loopback, reject elsewhere (`load` decides)."""
    heartbeat_interval_s: Positive = 300
    boot_retry_s: Positive = 60
    jitter: Annotated[float, Meta(ge=0, le=1)] = 0.1
    ping_interval_s: Seconds = 60.0
    lost_after_heartbeats: Positive = 3
    call_timeout_s: Seconds = 30.0
    max_waiting_calls: Positive = 16
    handshake_timeout_s: Seconds = 10.0
    max_message_bytes: Annotated[int, Meta(ge=1024, extra={"size": True})] = 1 << 20
    max_unsent_bytes: Annotated[int, Meta(ge=1024, extra={"size": True})] = 1 << 20
    max_frames_per_s: Seconds = 200.0
    max_connections: Positive = 50_000
    connections_per_address: Positive = 20_000
    failed_logins: Positive = 10
    failed_login_window_s: Seconds = 60.0
    failed_login_delay_s: Delay = 1.0
    security_profile: Annotated[int, Meta(ge=0, le=3)] = 0
    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    drain_timeout_s: Seconds = 8.0
    drain_drop_tcp_vendors: tuple[str, ...] = ()
    deflate: bool = True


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The HTTP API, the probes and the uploads of diagnostics."""

    listen: Address = Address("127.0.0.1:8080")
    public_url: str = ""
    open_probes: bool = True
    """Without a setting: true where `listen` is loopback, false elsewhere (`load` decides)."""
    probe_token: Secret | None = None
    probe_token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    max_body_bytes: Annotated[int, Meta(ge=1024, extra={"size": True})] = 4 << 20
    max_upload_bytes: Annotated[int, Meta(ge=1024, extra={"size": True})] = 256 << 20
    upload_token_ttl_s: Seconds = 3600.0
    max_streams: Positive = 64
    failed_keys: Positive = 20
    failed_keys_window_s: Seconds = 60.0

    def upload_base(self, bound: Address | None = None) -> str:
        """The URL that charge points reach us by, without a slash at the end; `bound` is where we really listen."""
        if self.public_url:
            return self.public_url.rstrip("/")
        at = bound or self.listen
        host = socket.gethostname() if at.host in ("0.0.0.0", "::") else at.host  # noqa: S104 compares, does not bind
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_cert else 'http'}://{shown}:{at.port}"


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the evidence is kept."""

    retention_days: Seconds = 365.0
    max_bytes: Annotated[int, Meta(ge=1 << 20, extra={"size": True})] = 64 << 30
    segment_bytes: Annotated[int, Meta(ge=64 << 10, extra={"size": True})] = 64 << 20
    free_space_floor_bytes: Size = 256 << 20


class SqlSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where charge points, transactions, tokens, keys and audit are kept."""

    url: str | None = None
    password: Secret | None = None
    password_file: Path | None = None
    pool_size: Positive = 5
    timeout_s: Seconds = 10.0


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The embedded telemetry store."""

    embedded: bool = True
    retention_days: Seconds = 90.0


class InfluxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """An InfluxDB beside or instead of the embedded telemetry store."""

    url: str | None = None
    org: str = ""
    bucket: str = "chargewatch"
    token: Secret | None = None
    token_file: Path | None = None
    timeout_s: Seconds = 10.0


class TokenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an ID token that is in no table is answered."""

    unknown: Literal["accept", "reject"] = "accept"


class FirmwareSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Firmware files, and how charge points fetch them."""

    public_url: str = ""
    max_file_bytes: Annotated[int, Meta(ge=1024, extra={"size": True})] = 1 << 30
    approvals_needed: Positive = 1
    approval_days: Seconds = 90.0
    download_ttl_s: Seconds = 86_400.0
    max_downloads: Positive = 200
    max_bytes_per_s: Size = 16 << 20
    max_bytes_per_s_each: Size = 0


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of what is wrong, and how long that is tried. Receivers and routes are in `config_file`."""

    config_file: Path | None = None
    public_url: str = ""
    runbook_url: str = ""
    dashboard_url: str = ""
    allow_private_addresses: bool = False
    through_alertmanager: bool = False
    alertmanager_token: Secret | None = None
    alertmanager_token_file: Path | None = None
    link_ttl_s: Seconds = 259_200.0
    give_up_after_s: Seconds = 259_200.0
    log_retention_days: Seconds = 90.0
    network_speed: Annotated[float, Meta(ge=1, le=1000)] = 1.0


class PaymentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which gateway moves money, and how patient we are. Off unless a gateway is set."""

    gateway: Literal["none", "stripe"] = "none"
    stripe_key: Secret | None = None
    stripe_key_file: Path | None = None
    webhook_secret: Secret | None = None
    webhook_secret_file: Path | None = None
    stripe_url: str = "https://api.stripe.com"
    timeout_s: Seconds = 20.0
    webhook_tolerance_s: Seconds = 300.0
    retry_days: tuple[str, ...] = ("3", "7", "14")
    smallest: Natural = 50
    confirm_within_s: Seconds = 1800.0
    use_within_s: Seconds = 3600.0
    hold_days: Seconds = 7.0


class BillingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells, how statements are numbered, and what holds where nothing else is said."""

    seller_name: str = ""
    seller_street: str = ""
    seller_city: str = ""
    seller_postal_code: str = ""
    seller_country: str = ""
    seller_vat_id: str = ""
    seller_tax_number: str = ""
    seller_register: str = ""
    seller_email: str = ""
    seller_phone: str = ""
    seller_website: str = ""
    seller_bank: str = ""
    seller_iban: str = ""
    seller_bic: str = ""
    default_tariff: str = ""
    time_zone: str = "UTC"
    series: str = "ST"
    credit_series: str = "CN"
    payment_days: Natural = 14
    plug_out_wait_s: Delay = 43_200.0
    runs: Literal["manual", "draft", "final"] = "draft"
    run_day: Annotated[int, Meta(ge=1, le=28)] = 2
    run_hour: Annotated[int, Meta(ge=0, le=23)] = 3
    workers: Natural = 0
    payments: PaymentSettings = PaymentSettings()


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says about itself, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class ProgramSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Programs in processes of their own. One whose URL is set runs apart; the others run with the collector."""

    alerts_url: str = ""
    firmware_url: str = ""
    billing_url: str = ""
    collector_url: str = ""
    listen: Address = Address("127.0.0.1:8081")
    token: Secret | None = None
    token_file: Path | None = None
    timeout_s: Seconds = 10.0

    @property
    def apart(self) -> dict[str, str]:
        """Program → where it answers, for those that run apart."""
        urls = {"alerts": self.alerts_url, "firmware": self.firmware_url, "billing": self.billing_url}
        return {name: url.rstrip("/") for name, url in urls.items() if url}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All of them. `Settings()` is what an empty file gives."""

    data_dir: Path = Path("chargewatch-data")
    api: str | None = None
    key: Secret | None = None
    key_file: Path | None = None
    collector: CollectorSettings = CollectorSettings()
    http: HttpSettings = HttpSettings()
    journal: JournalSettings = JournalSettings()
    sql: SqlSettings = SqlSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    influx: InfluxSettings = InfluxSettings()
    tokens: TokenSettings = TokenSettings()
    firmware: FirmwareSettings = FirmwareSettings()
    alerts: AlertSettings = AlertSettings()
    billing: BillingSettings = BillingSettings()
    programs: ProgramSettings = ProgramSettings()
    log: LogSettings = LogSettings()
