"""GetCertificateStatus, OCPP 2.0.1 use case M06: failed, because no OCSP responder is asked on behalf of charge points."""

from __future__ import annotations

from collector.handlers.v201.reports import refusal, report

handle = report("GetCertificateStatus", refusal("Failed", "UnsupportedRequest", "OCSP is not relayed"))
