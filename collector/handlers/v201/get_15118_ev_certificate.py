"""Get15118EVCertificate, OCPP 2.0.1 use cases M01 and M02: failed, because there is no contract certificate pool to ask."""

from __future__ import annotations

from collector.handlers.v201.reports import refusal, report

handle = report(
    "Get15118EVCertificate",
    {**refusal("Failed", "UnsupportedRequest", "no contract certificate pool is connected"), "exiResponse": ""},
)
