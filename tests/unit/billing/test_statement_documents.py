"""Statements as PDF, CSV and JSON: what stands on them is what the statement says."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

import msgspec
import pypdfium2
import pytest

from billing_reports.numbering import credit_note
from billing_reports.render.statement_files import safe, statement_csv, statement_json
from billing_reports.render.statement_pdf import statement_pdf
from billing_reports.render.statement_use import energy_by_day
from billing_reports.render.words import TEXTS, words
from billing_reports.statement import Statement
from tests.support.statements import NOW, SIGNED, month_of_sessions, statement


def text_of(pdf: bytes) -> str:
    """All of its pages, blanks as one."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    document.close()
    return re.sub(r"\s+", " ", " ".join(pages)).replace("\ufffe", "-")


@pytest.fixture(scope="module")
def german() -> tuple[Statement, str]:
    """A month in German, and the text of its PDF."""
    made = statement("de")
    return made, text_of(statement_pdf(made))


def test_what_the_law_wants_is_on_it(german: tuple[Statement, str]) -> None:
    """Directive 2006/112/EC, art. 226: number, date, both parties with VAT ids, period, net and tax by rate, due date."""
    _, text = german
    for part in (
        "Rechnung", "ST-000042", "02.04.2026", "01.03.2026 – 31.03.2026", "Hafenstrom GmbH", "Kaistraße 12", "50678 Köln",
        "USt-IdNr. DE123456789", "HRB 4711, Amtsgericht Köln", "Nordwind Logistik AG", "20457 Hamburg", "USt-IdNr. DE987654321",
        "Kostenstelle 4410", "USt. 19 % auf 241,85 €", "45,95 €", "287,80 €", "16. April 2026", "DE02 3705 0198 0001 8020 57",
    ):  # fmt: skip
        assert part in text, part


def test_every_line_is_on_it(german: tuple[Statement, str]) -> None:
    """Energy with three decimals, the net of each, and the sums that it says are those of its lines."""
    made, text = german
    say = words("de")
    for line in made.lines:
        assert f"{say.kwh(line.energy_wh)} 19 % {say.number(line.net.amount, 2)}" in text
    assert made.totals.net.amount == sum(line.net.amount for line in made.lines) == Decimal("241.85")
    assert "441,552 kWh" in text


def test_every_amount_is_taken_apart(german: tuple[Statement, str]) -> None:
    """Registers, records, prices and rules of each CDR; signed values to the byte, with their key."""
    made, text = german
    for line in made.lines:
        assert line.cdr is not None
        trace = line.cdr.trace
        assert f"CDR {line.cdr_id}" in text
        assert f"Aufzeichnungen {trace.first_sequence} bis {trace.last_sequence}" in text
    assert "0,59 EUR/kWh" in text
    assert "Element 0: von 17:00 bis 20:00 Uhr" in text and "element" not in text
    assert re.sub(r"\s", "", SIGNED) in re.sub(r"\s", "", text)
    assert "3056301006072A8648CE3D02" in text


def test_what_is_not_billed_is_said(german: tuple[Statement, str]) -> None:
    """With its reason, in the reader's language."""
    assert "Der Zählerstand fehlt am Anfang oder am Ende" in german[1]


def test_english_with_announced_prices() -> None:
    """Prices with taxes: a column more; numbers as the English write them; a draft says that it is one."""
    made = statement("en", count=3, included=True, final=False)
    text = text_of(statement_pdf(made))
    assert "Incl. VAT" in text
    assert "not issued, no number" in text
    assert "DRAFT" in text
    assert f"£{made.totals.payable.amount}" not in text
    assert f"€{made.totals.payable.amount:,.2f}" in text
    assert "Please pay" not in text


@pytest.mark.parametrize(
    ("verdict", "source", "english", "german"),
    [
        ("valid", "registered", "verified with the registered key", "geprüft mit dem hinterlegten Schlüssel"),
        ("valid", "sent", "verified only with the key that came along", "nur mit dem mitgesandten Schlüssel geprüft"),
        (
            "invalid",
            "registered",
            "MISMATCH: does not match the registered key",
            "ABWEICHUNG: passt nicht zum hinterlegten Schlüssel",
        ),
        (
            "invalid",
            "sent",
            "NOT VALID: does not match the key that came along",
            "UNGÜLTIG: passt nicht zum mitgesandten Schlüssel",
        ),
        ("unverified", None, "not verified", "nicht geprüft"),
    ],
)
def test_the_verdict_about_signed_values_is_on_it(verdict: str, source: str | None, english: str, german: str) -> None:
    """At the session and at the value itself, in the language of the customer, with whose key it rests on."""
    for language, said in (("en", f"signed values: {english}"), ("de", f"signierte Werte: {german}")):
        made = statement(language, count=1)
        [line] = made.lines
        assert line.cdr is not None
        readings = tuple(msgspec.structs.replace(each, verdict=verdict, key_source=source) for each in line.cdr.signed)
        signed = msgspec.structs.replace(line, cdr=msgspec.structs.replace(line.cdr, signed=readings))
        text = text_of(statement_pdf(msgspec.structs.replace(made, lines=(signed,))))
        assert said in text and text.count(said.partition(": ")[2]) == 2, said


def test_a_credit_note_says_what_it_takes_back() -> None:
    """Its amounts are negative, nothing is due of the customer."""
    text = text_of(statement_pdf(credit_note(statement("de", count=4), 1, "CN", NOW, "falscher Tarif")))
    assert "Gutschrift" in text
    assert "CN-000001" in text
    assert "Berichtigt ST-000042" in text
    assert "falscher Tarif" in text
    assert "werden Ihnen ausgezahlt" in text


def test_reverse_charge_is_named() -> None:
    """No tax, and the sentence that the law wants."""
    text = text_of(statement_pdf(statement("en", count=2, reverse_charge=True)))
    assert "article 196 of directive 2006/112/EC" in text
    assert "Reverse charge, on" in text


def test_names_cannot_break_the_page() -> None:
    """Markup in a name is text, and letters beyond Latin-1 print."""
    made = statement("en", count=1)
    odd = msgspec.structs.replace(made, customer=msgspec.structs.replace(made.customer, name="Łódź <b>& Söhne</b>"))
    assert "Łódź <b>& Söhne</b>" in text_of(statement_pdf(odd))


def test_the_same_statement_is_the_same_file() -> None:
    """Byte for byte: a document can be made again instead of kept."""
    made = statement("en", count=2)
    assert statement_pdf(made) == statement_pdf(made)


def test_a_months_use_adds_up() -> None:
    """Every session is in the bar of its local day."""
    made = statement("en")
    days = energy_by_day(made)
    assert len(days) == 31
    assert sum(days.values()) == made.energy_wh


def test_csv_for_spreadsheets() -> None:
    """A row per line; what a spreadsheet would run as a formula is text."""
    made = statement("en", count=3)
    rows = list(csv.DictReader(io.StringIO(statement_csv(made).decode("utf-8-sig"))))
    assert [row["net"] for row in rows] == [str(line.net.amount) for line in made.lines]
    assert rows[0]["started_at"].endswith("Z")
    assert rows[0]["energy_kwh"] == "9.733"
    assert safe("=HYPERLINK(1)") == "'=HYPERLINK(1)"


def test_json_is_whole() -> None:
    """Money as strings with their currency; the CDRs with breakdown and signed values are in it."""
    made = statement("en", count=2)
    document = json.loads(statement_json(made))
    assert document["totals"]["payable"] == {"amount": str(made.totals.payable.amount), "currency": "EUR"}
    assert document["lines"][0]["cdr"]["signed"][0]["payload"] == SIGNED
    assert len(month_of_sessions(2)) == len(document["lines"])


def test_languages_have_the_same_texts() -> None:
    """A document never shows a key."""
    assert len({frozenset(texts) for texts in TEXTS.values()}) == 1
    assert words("xx").language == "en"


@pytest.mark.parametrize(
    ("language", "money", "number", "share"),
    [("en", "-£1,234.50", "1,234.57", "12.5 %"), ("de", "-1.234,50 £", "1.234,57", "12,5 %")],
)
def test_numbers_are_local(language: str, money: str, number: str, share: str) -> None:
    """Separators, the place of the symbol, rounding half up."""
    say = words(language)
    assert say.money(Decimal("-1234.5"), "GBP").replace("\xa0", " ") == money
    assert say.number(Decimal("1234.565"), 2) == number
    assert say.percent(0.125) == share
