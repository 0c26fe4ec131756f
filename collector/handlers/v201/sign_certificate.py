"""SignCertificate, OCPP 2.0.1 use case A02: rejected, because this CSMS has no certificate authority behind it."""

from __future__ import annotations

from collector.handlers.v201.reports import refusal, report

handle = report("SignCertificate", refusal("Rejected", "UnsupportedRequest", "no certificate authority is connected"))
