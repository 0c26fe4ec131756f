"""All settings, typed: one TOML file, `CHARGEWATCH_*` variables, the command line. The only package that reads the environment."""

from chargenet.settings.keys import KEYS, shown, value_of, variable
from chargenet.settings.load import Loaded, load, load_with_sources
from chargenet.settings.sections import (
    AlertSettings,
    BillingSettings,
    CollectorSettings,
    FirmwareSettings,
    HttpSettings,
    InfluxSettings,
    JournalSettings,
    LogSettings,
    PaymentSettings,
    ProgramSettings,
    Settings,
    SqlSettings,
    TelemetrySettings,
    TokenSettings,
)
from chargenet.settings.values import Address, Secret

__all__ = [
    "KEYS",
    "Address",
    "AlertSettings",
    "BillingSettings",
    "CollectorSettings",
    "FirmwareSettings",
    "HttpSettings",
    "InfluxSettings",
    "JournalSettings",
    "Loaded",
    "LogSettings",
    "PaymentSettings",
    "ProgramSettings",
    "Secret",
    "Settings",
    "SqlSettings",
    "TelemetrySettings",
    "TokenSettings",
    "load",
    "load_with_sources",
    "shown",
    "value_of",
    "variable",
]
