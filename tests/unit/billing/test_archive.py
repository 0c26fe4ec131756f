"""What makes a statement with its e-invoice a PDF/A-3B file, as a reader sees it: colours, fonts, metadata, the attachment."""

from __future__ import annotations

import io
import re
from typing import Any

import pypdf
import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from billing_reports.render.archive import srgb
from billing_reports.render.documents import whole_pdf
from billing_reports.render.statement_pdf import statement_pdf
from tests.support.statements import statement


@pytest.fixture(scope="module", params=["en", "de"])
def root(request: pytest.FixtureRequest) -> Any:
    """The catalog of a statement with signed values."""
    return pypdf.PdfReader(io.BytesIO(whole_pdf(statement(request.param, count=3)))).trailer["/Root"]


def test_its_colours_are_of_a_profile(root: Any) -> None:
    """ISO 19005-3, 6.2.3: one output intent with the profile of sRGB."""
    [intent] = root["/OutputIntents"]
    profile = intent.get_object()["/DestOutputProfile"].get_object()
    assert (intent.get_object()["/S"], profile["/N"], profile.get_data()) == ("/GTS_PDFA1", 3, srgb())
    assert srgb()[16:20] == b"RGB " and srgb()[36:40] == b"acsp"


def test_its_metadata_say_what_it_is(root: Any) -> None:
    """Part 3, level B, the extension of Factur-X, and whose program made it."""
    text = root["/Metadata"].get_data().decode()
    assert re.search(r"<pdfaid:part>3</pdfaid:part>\s*<pdfaid:conformance>B<", text)
    assert "<fx:ConformanceLevel>EN 16931<" in text and "<xmp:CreatorTool>chargewatch<" in text
    assert "/Encrypt" not in root


def test_its_invoice_is_an_associated_file(root: Any) -> None:
    """An alternative of the document, as XML, with its size; the same object by name and by association."""
    [file] = root["/AF"].get_object()
    [_, named] = root["/Names"]["/EmbeddedFiles"]["/Names"]
    entry = file.get_object()
    assert named.get_object() == entry
    assert (entry["/AFRelationship"], entry["/F"], entry["/UF"]) == ("/Alternative", "factur-x.xml", "factur-x.xml")
    stream = entry["/EF"]["/F"].get_object()
    assert (stream["/Subtype"], stream["/Params"]["/Size"]) == ("/text/xml", len(stream.get_data()))


def test_its_fonts_are_embedded_and_agree_with_the_page(root: Any) -> None:
    """ISO 19005-3, 6.2.11.5: the width of each glyph in the page's font is that of the font program, monospaced ones included."""
    seen: dict[str, int] = {}
    for page in root["/Pages"]["/Kids"]:
        for font in page.get_object()["/Resources"]["/Font"].get_object().values():
            entry = font.get_object()
            if entry["/BaseFont"] in seen or "/FontDescriptor" not in entry:
                continue
            program = TTFont(io.BytesIO(entry["/FontDescriptor"].get_object()["/FontFile2"].get_object().get_data()))
            scale = 1000 / program["head"].unitsPerEm
            inside = {round(advance * scale) for advance, _ in program["hmtx"].metrics.values()}
            assert {round(float(width)) for width in entry["/Widths"]} <= inside, entry["/BaseFont"]
            seen[entry["/BaseFont"]] = len(inside)
    assert any("Mono" in name and count == 1 for name, count in seen.items()) and len(seen) >= 3


def test_the_same_statement_is_the_same_file() -> None:
    """Byte for byte, before the invoice is attached: nothing of the clock is in it."""
    assert statement_pdf(statement("en", count=2)) == statement_pdf(statement("en", count=2))
