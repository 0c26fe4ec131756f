"""A statement in the form that was asked for. Decided here: when the PDF carries its e-invoice."""

from __future__ import annotations

from billing_reports.render.einvoice import einvoice_xml, facturx
from billing_reports.render.statement_files import statement_csv, statement_json
from billing_reports.render.statement_pdf import statement_pdf
from billing_reports.statement import Statement


def statement_file(statement: Statement, form: str) -> bytes:
    """`pdf`, `xml`, `csv` or `json`. CPU-bound. Raises Conflict for an e-invoice that cannot be one, KeyError for no form."""
    if form == "pdf":
        return whole_pdf(statement)
    return {"xml": einvoice_xml, "csv": statement_csv, "json": statement_json}[form](statement)


def whole_pdf(statement: Statement) -> bytes:
    """The PDF; with its e-invoice inside once it is issued, if the countries of both parties are known."""
    pdf = statement_pdf(statement)
    if statement.number is None or not (statement.seller.country and statement.customer.country):
        return pdf
    return facturx(pdf, einvoice_xml(statement), statement.language)
