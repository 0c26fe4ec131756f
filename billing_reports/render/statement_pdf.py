"""A statement as PDF: what a driver or a fleet reads, pays and checks. Decided here: its looks; figures are the Statement's.

What the VAT directive (2006/112/EC, art. 226) wants is on the first page: number, date, parties, VAT ids, period, quantity
and kind, amounts by rate, the tax of each. The pages behind take every amount apart, down to registers and signed values.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    NextPageTemplate,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from billing_reports.money import minor_units
from billing_reports.party import Party
from billing_reports.render import theme
from billing_reports.render.archive import archival
from billing_reports.render.pages import MARGIN, WIDTH, escaped, style
from billing_reports.render.statement_details import details
from billing_reports.render.statement_use import use_chart
from billing_reports.render.theme import BOLD, REGULAR, colour
from billing_reports.render.words import Words, words
from billing_reports.statement import LineKind, Statement, StatementKind, StatementLine, StatementState, TaxCategory, TaxLine

_TOP = 92 * mm
"""Height of the first page's head, with both addresses."""


def statement_pdf(statement: Statement) -> bytes:
    """The document in the statement's language. CPU-bound (about 10 ms and more): call it in a thread or a process."""
    theme.register_fonts()
    page = _Page(statement)
    buffer = io.BytesIO()
    made = BaseDocTemplate(
        buffer, pagesize=A4, title=page.title, author=statement.seller.name, subject=page.subject, lang=page.say.language,
        creator="chargewatch", invariant=1,
    )  # fmt: skip
    first = Frame(MARGIN, 26 * mm, WIDTH, A4[1] - _TOP - 26 * mm, 0, 0, 0, 0)
    later = Frame(MARGIN, 26 * mm, WIDTH, A4[1] - 52 * mm, 0, 0, 0, 0)
    made.addPageTemplates(
        [
            PageTemplate("first", [first], onPage=lambda canvas, _: page.head(canvas)),
            PageTemplate("later", [later], onPage=lambda canvas, _: page.short_head(canvas)),
        ]
    )
    story: list[Flowable] = [
        NextPageTemplate("later"),
        *_summary(statement, page.say),
        *_lines(statement, page.say),
        *_totals(statement, page.say),
        *_payment(statement, page.say),
        *_unbilled(statement, page.say),
        *details(statement, page.say),
    ]
    made.build(story, canvasmaker=archival(page.foot))
    return buffer.getvalue()


class _Page:
    """What is drawn on every page around its content."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self.say = words(statement.language)
        self.kind = self.say("st_credit_note" if statement.kind is StatementKind.CREDIT_NOTE else "st_invoice")
        self.title = f"{self.kind} {statement.number or self.say('st_draft')}"
        self.subject = self.say("st_service", month=self.say.month(statement.month))

    def head(self, canvas: Canvas) -> None:
        """The first page: seller, title, addresses, what identifies the document."""
        canvas.setFillColor(colour(theme.ACCENT))
        canvas.rect(0, A4[1] - 5 * mm, A4[0], 5 * mm, stroke=0, fill=1)
        self._draft(canvas)
        top = A4[1] - 21 * mm
        canvas.setFillColor(colour(theme.INK))
        canvas.setFont(BOLD, 13)
        canvas.drawString(MARGIN, top, self._statement.seller.name[:60])
        canvas.setFont(BOLD, 17)
        canvas.setFillColor(colour(theme.ACCENT))
        canvas.drawRightString(A4[0] - MARGIN, top, self.kind)
        self._address(canvas, A4[1] - 47 * mm)
        self._facts(canvas, A4[1] - 34 * mm)
        canvas.setFont(BOLD, 10.5)
        canvas.setFillColor(colour(theme.INK))
        canvas.drawString(MARGIN, A4[1] - 84 * mm, self.subject)

    def _address(self, canvas: Canvas, top: float) -> None:
        seller, customer = self._statement.seller, self._statement.customer
        canvas.setFont(REGULAR, 6.3)
        canvas.setFillColor(colour(theme.MUTED))
        canvas.drawString(MARGIN, top, " · ".join(each for each in (seller.name, seller.street, _town(seller)) if each)[:90])
        canvas.setStrokeColor(colour(theme.FAINT))
        canvas.line(MARGIN, top - 1.6 * mm, MARGIN + 82 * mm, top - 1.6 * mm)
        canvas.setFillColor(colour(theme.INK))
        vat = f"{self.say('st_vat_id')} {customer.vat_id}" if customer.vat_id else ""
        abroad = customer.country if customer.country != seller.country else ""
        for number, text in enumerate(each for each in (customer.name, customer.street, _town(customer), abroad, vat) if each):
            canvas.setFont(BOLD if number == 0 else REGULAR, 9.3)
            canvas.drawString(MARGIN, top - (7 + 4.7 * number) * mm, text[:52])

    def _facts(self, canvas: Canvas, top: float) -> None:
        statement, say = self._statement, self.say
        period = f"{say.day(statement.first_day)} – {say.day(statement.last_day)}"
        facts = [
            (say("st_number"), statement.number or say("st_draft_note")),
            (say("st_date"), say.day(statement.issued_on) if statement.issued_on else "–"),
            (say("st_period"), period),
            (say("st_customer"), statement.customer_id),
            (say("st_reference"), statement.customer_reference),
            (say("st_contract"), ", ".join(statement.contract_ids)),
            (say("st_credits"), statement.credits_number or ""),
            (say("st_due"), say.day(statement.due_on) if statement.due_on else ""),
        ]
        left = A4[0] - MARGIN - 76 * mm
        for number, (label, value) in enumerate(each for each in facts if each[1]):
            line = top - 5.2 * mm * number
            canvas.setFont(REGULAR, 8)
            canvas.setFillColor(colour(theme.MUTED))
            canvas.drawString(left, line, label)
            canvas.setFillColor(colour(theme.INK))
            canvas.drawRightString(A4[0] - MARGIN, line, value[:44])

    def _draft(self, canvas: Canvas) -> None:
        if self._statement.state is not StatementState.DRAFT:
            return
        canvas.saveState()
        canvas.setFillColor(colour(theme.WASH))
        canvas.setFont(BOLD, 96)
        canvas.translate(A4[0] / 2, A4[1] / 2)
        canvas.rotate(38)
        canvas.drawCentredString(0, -30, self.say("st_draft").upper())
        canvas.restoreState()

    def short_head(self, canvas: Canvas) -> None:
        """Later pages."""
        self._draft(canvas)
        canvas.setFont(REGULAR, 8)
        canvas.setFillColor(colour(theme.MUTED))
        canvas.drawString(MARGIN, A4[1] - 15 * mm, f"{self._statement.seller.name[:50]}")
        canvas.drawRightString(A4[0] - MARGIN, A4[1] - 15 * mm, f"{self.title} · {self.subject}")
        canvas.setStrokeColor(colour(theme.FAINT))
        canvas.line(MARGIN, A4[1] - 18 * mm, A4[0] - MARGIN, A4[1] - 18 * mm)

    def foot(self, canvas: Canvas, page: int, pages: int) -> None:
        """What the law wants of the seller, and the page's number."""
        seller, say = self._statement.seller, self.say
        canvas.setStrokeColor(colour(theme.FAINT))
        canvas.line(MARGIN, 21 * mm, A4[0] - MARGIN, 21 * mm)
        columns = [
            (seller.name, seller.street, f"{_town(seller)} {seller.country}".strip()),
            (
                f"{say('st_vat_id')} {seller.vat_id}" if seller.vat_id else "",
                f"{say('st_tax_number')} {seller.tax_number}" if seller.tax_number else "",
                seller.register,
            ),
            (seller.email, seller.phone, seller.website),
            (seller.bank, _grouped(seller.iban), seller.bic),
        ]
        canvas.setFont(REGULAR, 6.4)
        canvas.setFillColor(colour(theme.MUTED))
        for number, column in enumerate(columns):
            for line, text in enumerate(each for each in column if each):
                canvas.drawString(MARGIN + number * WIDTH / 4, (17.2 - 3.1 * line) * mm, text[:40])
        canvas.drawRightString(A4[0] - MARGIN, 5.5 * mm, say("page", page=page, pages=pages))


def _town(party: Party) -> str:
    return f"{party.postal_code} {party.city}".strip()


def _grouped(iban: str) -> str:
    plain = iban.replace(" ", "")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def _summary(statement: Statement, say: Words) -> list[Flowable]:
    """What is to be paid, and for what; beside it when the energy flowed."""
    payable = statement.totals.payable
    sessions = sum(line.kind is LineKind.SESSION for line in _first_of_each(statement.lines))
    label, value = style("l", 7.6, 10, ink=theme.MUTED), style("v", 11, 14, font=BOLD)
    big = style("b", 19, 25, font=BOLD, ink=theme.ACCENT)
    amount = say.money(abs(payable.amount), payable.currency, minor_units(payable.currency))
    left = [
        Paragraph(escaped(say("st_payable" if payable.amount >= 0 else "st_refund")), label),
        Paragraph(escaped(amount), big),
        Spacer(1, 2 * mm),
        Paragraph(escaped(f"{say('st_energy')}"), label),
        Paragraph(escaped(f"{say.kwh(statement.energy_wh)} kWh"), value),
        Spacer(1, 1 * mm),
        Paragraph(escaped(say("st_sessions")), label),
        Paragraph(escaped(say.number(sessions)), value),
    ]
    right = [Paragraph(escaped(say("st_use")), label), use_chart(statement, say, WIDTH - 64 * mm, 33 * mm)]
    table = Table([[left, right]], colWidths=[56 * mm, WIDTH - 56 * mm])
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), colour(theme.WASH)),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 4 * mm),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4 * mm),
                ("TOPPADDING", (0, 0), (-1, -1), 3 * mm),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3 * mm),
            ]
        )
    )
    return [table, Spacer(1, 5 * mm)]


def _first_of_each(lines: Sequence[StatementLine]) -> list[StatementLine]:
    """One line per CDR: a session with two VAT rates has two."""
    seen: dict[object, StatementLine] = {}
    for line in lines:
        seen.setdefault(line.cdr_id or line.number, line)
    return list(seen.values())


def _lines(statement: Statement, say: Words) -> list[Flowable]:
    zone = ZoneInfo(statement.time_zone)
    places = minor_units(statement.currency)
    head = ["", say("st_when"), say("st_where"), say("st_kwh"), say("st_vat"), say("st_net")]
    widths = [8, 46, 60, 20, 15, 24]
    if statement.tax_included:
        head.append(say("st_gross"))
        widths.append(24)
    long_text = style("c", 7.6, 9.8)
    data: list[list[Any]] = [head]
    for line in statement.lines:
        when, what = _when(line, zone, say), _what(line, say)
        cells: list[Any] = [
            str(line.number),
            when if len(when) < 28 else Paragraph(escaped(when), long_text),
            what if len(what) < 36 else Paragraph(escaped(what), long_text),
            say.kwh(line.energy_wh) if line.energy_wh else "", _rate(line.vat, say), say.number(line.net.amount, places),
        ]  # fmt: skip
        if statement.tax_included:
            cells.append(say.number(line.gross.amount, places))
        data.append(cells)
    table = Table(data, colWidths=[WIDTH * width / sum(widths) for width in widths], repeatRows=1)
    table.setStyle(_ruled(7.6, right_from=3))
    notes = [say("st_tz", zone=statement.time_zone)]
    if any(_repeats(line, zone) for line in statement.lines):
        notes.append(say("st_repeated"))
    return [table, Spacer(1, 1.5 * mm), Paragraph(escaped(" ".join(notes)), style("n", 6.6, 9, ink=theme.MUTED)), Spacer(1, 3 * mm)]


def _ruled(size: float, right_from: int | None = None) -> TableStyle:
    """Plain cells in this size; columns from `right_from` on are right-aligned numbers."""
    right = [] if right_from is None else [("ALIGN", (right_from, 0), (-1, -1), "RIGHT")]
    return TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), REGULAR, size, size + 2.2),
            ("TEXTCOLOR", (0, 0), (-1, -1), colour(theme.INK)),
            ("TEXTCOLOR", (0, 0), (-1, 0), colour(theme.MUTED)),
            *right,
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colour(theme.INK)),
            ("LINEBELOW", (0, 1), (-1, -1), 0.35, colour(theme.FAINT)),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 1.5 * mm),
            ("RIGHTPADDING", (0, 0), (-1, -1), 1.5 * mm),
            ("TOPPADDING", (0, 0), (-1, -1), 1.1 * mm),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.1 * mm),
        ]
    )


def _repeats(line: StatementLine, zone: ZoneInfo) -> bool:
    """Does an end of it lie in the hour that comes twice?"""
    ends = [at.astimezone(zone) for at in (line.started_at, line.ended_at) if at is not None]
    return any(at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset() for at in ends)


def _when(line: StatementLine, zone: ZoneInfo, say: Words) -> str:
    if line.started_at is None or line.ended_at is None:
        return ""
    start, end = line.started_at.astimezone(zone), line.ended_at.astimezone(zone)
    form = "%H:%M %z" if _repeats(line, zone) else "%H:%M"
    last = f"{end:{form}}" if end.date() == start.date() else f"{say.day(end.date())} {end:{form}}"
    return f"{say.day(start.date())} {start:{form}} – {last}"


def _what(line: StatementLine, say: Words) -> str:
    place = line.site_name or line.site_id or ""
    where = f"{place}, {line.charge_point_id}/{line.connector}" if line.charge_point_id else place
    texts: dict[LineKind, Callable[[], str]] = {
        LineKind.SESSION: lambda: where.strip(", "),
        LineKind.CORRECTION: lambda: f"{say('st_correction')}: {where}".strip(": "),
        LineKind.MONTHLY_FEE: lambda: _fee(line, say),
        LineKind.INCLUDED_ENERGY: lambda: say("st_included", plan=line.detail),
        LineKind.HOME_CHARGING: lambda: f"{say('st_home')}: {where}".strip(": "),
    }
    return texts[line.kind]()


def _fee(line: StatementLine, say: Words) -> str:
    text = say("st_fee", plan=line.detail)
    return text if line.quantity == 1 else f"{text} ({say('st_months', count=say.number(line.quantity, 2))})"


def _rate(vat: Decimal | None, say: Words) -> str:
    if vat is None:
        return "–"
    return f"{say.number(vat, 0 if vat == vat.to_integral_value() else 1)} %"


def _totals(statement: Statement, say: Words) -> list[Flowable]:
    totals, places = statement.totals, minor_units(statement.currency)
    right, strong = style("t", 8.3, 11, alignment=TA_RIGHT), style("ts", 9.5, 13, alignment=TA_RIGHT, font=BOLD)
    rows: list[tuple[str, Decimal, Any]] = [(say("st_total_net"), totals.net.amount, right)]
    rows += [(_tax(each, statement, say), each.tax.amount, right) for each in statement.taxes]
    rows.append((say("st_total_gross"), totals.gross.amount, right))
    if totals.rounding.amount:
        rows.append((say("st_rounding"), totals.rounding.amount, right))
    rows.append((say("st_payable") if totals.payable.amount >= 0 else say("st_refund"), totals.payable.amount, strong))
    data = [
        [Paragraph(escaped(text), form), Paragraph(escaped(say.money(amount, statement.currency, places)), form)]
        for text, amount, form in rows
    ]
    table = Table(data, colWidths=[WIDTH - 38 * mm, 38 * mm])
    table.setStyle(
        TableStyle(
            [
                ("LINEABOVE", (1, -1), (1, -1), 0.8, colour(theme.INK)),
                ("LINEBELOW", (1, -1), (1, -1), 2.2, colour(theme.ACCENT)),
                ("RIGHTPADDING", (0, 0), (-1, -1), 1.5 * mm),
                ("TOPPADDING", (0, 0), (-1, -1), 0.7 * mm),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0.7 * mm),
            ]
        )
    )
    return [table, Spacer(1, 4 * mm)]


def _tax(tax: TaxLine, statement: Statement, say: Words) -> str:
    base = say.money(tax.base.amount, statement.currency, minor_units(statement.currency))
    keys = {TaxCategory.ZERO: "st_zero", TaxCategory.EXEMPT: "st_exempt", TaxCategory.REVERSE_CHARGE: "st_reverse"}
    if tax.category in keys:
        return say(keys[tax.category], base=base)
    return say("st_tax", rate=_rate(tax.vat, say), base=base)


def _payment(statement: Statement, say: Words) -> list[Flowable]:
    payable, seller = statement.totals.payable, statement.seller
    amount = say.money(abs(payable.amount), payable.currency, minor_units(payable.currency))
    texts: list[str] = []
    if any(each.category is TaxCategory.REVERSE_CHARGE for each in statement.taxes):
        texts.append(say("st_reverse_reason"))
    if payable.amount < 0:
        texts.append(say("st_refund_text", amount=amount))
    elif not payable.amount:
        texts.append(say("st_nothing"))
    elif statement.number is not None:
        due = statement.due_on
        pay = say("st_pay_no_due", amount=amount) if due is None else say("st_pay", amount=amount, due=say.day(due, "long"))
        if seller.iban:
            key = "st_pay_to" if seller.bic else "st_pay_to_no_bic"
            pay += " " + say(key, iban=_grouped(seller.iban), bic=seller.bic, number=statement.number)
        texts.append(f"{pay}.")
    if statement.remark:
        texts.append(f"{say('st_remark')}: {statement.remark}")
    return [Paragraph(escaped(text), style("p", 8.6, 12.4)) for text in texts]


def _unbilled(statement: Statement, say: Words) -> list[Flowable]:
    if not statement.unbilled:
        return []
    zone = ZoneInfo(statement.time_zone)
    plain = style("u", 7.4, 9.6)
    data: list[list[Any]] = [[say(key) for key in ("st_when", "st_where", "st_reason")]]
    for each in statement.unbilled:
        when = "–" if each.began_at is None else say.moment(each.began_at.astimezone(UTC), zone)
        where = f"{each.site_id or ''} {each.charge_point_id}/{each.connector or '–'}".strip()
        data.append([Paragraph(escaped(text), plain) for text in (when, where, say(f"reason_{each.reason}"))])
    table = Table(data, colWidths=[WIDTH * share for share in (0.22, 0.28, 0.5)], repeatRows=1)
    table.setStyle(_ruled(7.4))
    return [
        Spacer(1, 5 * mm),
        Paragraph(escaped(say("st_unbilled")), style("uh1", 10, 14, font=BOLD, ink=theme.ACCENT)),
        Paragraph(escaped(say("st_unbilled_text")), style("ut", 8, 11.5)),
        Spacer(1, 1.5 * mm),
        table,
    ]
