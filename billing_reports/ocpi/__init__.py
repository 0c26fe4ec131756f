"""OCPI documents of 2.1.1, 2.2.1 and 2.3.0, in and out. Decided here: what each version calls what; inside it is all 2.3.0."""

from billing_reports.ocpi.cdr_in import CdrDocument, read_cdr
from billing_reports.ocpi.cdr_out import CdrLocation, CdrParty, write_cdr
from billing_reports.ocpi.document import OcpiError, Version, load_json, version_of
from billing_reports.ocpi.tariffs import read_tariff, write_tariff

__all__ = [
    "CdrDocument",
    "CdrLocation",
    "CdrParty",
    "OcpiError",
    "Version",
    "load_json",
    "read_cdr",
    "read_tariff",
    "version_of",
    "write_cdr",
    "write_tariff",
]
