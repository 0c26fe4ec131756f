"""A statement as an EN 16931 e-invoice (UN/CEFACT CII; profile EN 16931 of Factur-X, ZUGFeRD). Decided here: what each field says.

Amounts are those of the statement; nothing is computed anew. A price is never negative in EN 16931 (BT-146): a line that takes
something back has a negative quantity. Credit notes (381) carry their amounts turned round, as the code asks.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from drafthorse.models.accounting import ApplicableTradeTax
from drafthorse.models.document import Document
from drafthorse.models.note import IncludedNote
from drafthorse.models.party import TaxRegistration, TradeParty
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem
from drafthorse.pdf import attach_xml

from billing_reports.money import Money
from billing_reports.party import Party
from billing_reports.render.words import Words, words
from billing_reports.statement import LineKind, Statement, StatementKind, StatementLine, TaxCategory, TaxLine
from chargenet.errors import Conflict

GUIDELINE = "urn:cen.eu:en16931:2017"
SCHEMA = "FACTUR-X_EN16931"
_CENT = Decimal("0.01")


def einvoice_xml(statement: Statement) -> bytes:
    """The invoice as XML, valid against the schema. Raises Conflict for a draft, or a party without what the standard wants."""
    if statement.number is None or statement.issued_on is None:
        raise Conflict(f"statement {statement.id} is a draft: an e-invoice has a number and a date")
    if not statement.seller.country or not statement.customer.country:
        raise Conflict(f"statement {statement.number}: an e-invoice needs the country of seller and customer")
    say = words(statement.language)
    sign = -1 if statement.kind is StatementKind.CREDIT_NOTE else 1
    made = Document()
    made.context.guideline_parameter.id = GUIDELINE
    made.header.id = statement.number
    made.header.type_code = "381" if sign < 0 else "380"
    made.header.issue_date_time = statement.issued_on
    for text in (say("st_service", month=say.month(statement.month)), statement.remark, statement.seller.register):
        if text:
            made.header.notes.add(_note(text))
    _parties(made, statement)
    for line in statement.lines:
        made.trade.items.add(_line(line, statement, say, sign))
    _settlement(made, statement, sign)
    return bytes(made.serialize(schema=SCHEMA))


def facturx(pdf: bytes, xml: bytes, language: str) -> bytes:
    """The PDF with the XML inside (Factur-X / ZUGFeRD)."""
    said = {"creator": "chargewatch"}
    return bytes(attach_xml(pdf, xml, level="EN 16931", metadata=said, lang="de-DE" if language == "de" else "en-GB"))


def _note(text: str) -> IncludedNote:
    made = IncludedNote()
    made.content = text
    return made


def _parties(made: Document, statement: Statement) -> None:
    if statement.customer_reference:
        made.trade.agreement.buyer_reference = statement.customer_reference
    _party(made.trade.agreement.seller, statement.seller, "")
    _party(made.trade.agreement.buyer, statement.customer, statement.customer_id)
    if statement.contract_ids:
        made.trade.agreement.contract.issuer_assigned_id = ", ".join(statement.contract_ids)
    made.trade.delivery.event.occurrence = statement.last_day


def _party(made: TradeParty, party: Party, number: str) -> None:
    if number:
        made.id = number
    made.name = party.name
    if party.postal_code:
        made.address.postcode = party.postal_code
    if party.street:
        made.address.line_one = party.street
    if party.city:
        made.address.city_name = party.city
    made.address.country_id = party.country
    if party.email:
        made.electronic_address.uri_ID = ("EM", party.email)
    if number == "" and (party.email or party.phone):
        _contact(made, party)
    for scheme, value in (("VA", party.vat_id), ("FC", party.tax_number)):
        if value:
            made.tax_registrations.add(TaxRegistration(id=(scheme, value)))


def _contact(made: TradeParty, party: Party) -> None:
    made.contact.person_name = party.name
    if party.phone:
        made.contact.telephone.number = party.phone
    if party.email:
        made.contact.email.address = party.email


def _line(line: StatementLine, statement: Statement, say: Words, sign: int) -> LineItem:
    item = LineItem()
    item.document.line_id = str(line.number)
    item.product.name = _name(line, say)
    if line.cdr_id is not None:
        item.product.seller_assigned_id = line.cdr_id
    net = sign * line.net.amount
    quantity, price = _priced(net, line)
    item.agreement.net.amount = price
    item.agreement.net.basis_quantity = (Decimal(1), "C62")
    item.delivery.billed_quantity = (quantity, "C62")
    item.settlement.trade_tax.type_code = "VAT"
    item.settlement.trade_tax.category_code = str(line.category)
    if line.category is not TaxCategory.EXEMPT:
        item.settlement.trade_tax.rate_applicable_percent = line.vat or Decimal(0)
    else:
        item.settlement.trade_tax.rate_applicable_percent = Decimal(0)
    if line.started_at is not None and line.ended_at is not None:
        item.settlement.period.start = line.started_at.date()
        item.settlement.period.end = max(line.ended_at, line.started_at).date()
    item.settlement.monetary_summation.total_amount = net
    return item


def _priced(net: Decimal, line: StatementLine) -> tuple[Decimal, Decimal]:
    """Quantity and net price whose product is the line's net exactly; the price never negative (BR-27)."""
    quantity = Decimal(-1) if net < 0 else Decimal(1)
    return quantity, abs(net)


def _name(line: StatementLine, say: Words) -> str:
    place = line.site_name or line.site_id or line.charge_point_id or ""
    texts = {
        LineKind.SESSION: f"{say('st_ENERGY')} {say.kwh(line.energy_wh)} kWh, {place}",
        LineKind.CORRECTION: f"{say('st_correction')}, {place}",
        LineKind.MONTHLY_FEE: say("st_fee", plan=line.detail),
        LineKind.INCLUDED_ENERGY: say("st_included", plan=line.detail),
        LineKind.HOME_CHARGING: f"{say('st_home')}, {place}",
    }
    return texts[line.kind].rstrip(", ")


def _settlement(made: Document, statement: Statement, sign: int) -> None:
    settlement, seller = made.trade.settlement, statement.seller
    settlement.currency_code = statement.currency
    settlement.payment_reference = statement.number
    means = PaymentMeans(type_code="58" if seller.iban else "1")
    if seller.iban:
        means.payee_account.iban = seller.iban.replace(" ", "")
        if seller.bic:
            means.payee_institution.bic = seller.bic
    settlement.payment_means.add(means)
    for tax in statement.taxes:
        settlement.trade_tax.add(_tax(tax, sign))
    settlement.period.start = statement.first_day
    settlement.period.end = statement.last_day
    if statement.due_on is not None:
        settlement.terms.add(_terms(statement.due_on))
    if statement.credits_number is not None:
        settlement.invoice_referenced_document.issuer_assigned_id = statement.credits_number
    totals, summation = statement.totals, settlement.monetary_summation
    summation.line_total = _amount(totals.net, sign)
    summation.charge_total = Decimal(0)
    summation.allowance_total = Decimal(0)
    summation.tax_basis_total = _amount(totals.net, sign)
    summation.tax_total = (_amount(totals.tax, sign), statement.currency)
    summation.grand_total = _amount(totals.gross, sign)
    if totals.rounding.amount:
        summation.rounding_amount = _amount(totals.rounding, sign)
    summation.prepaid_total = Decimal(0)
    summation.due_amount = _amount(totals.payable, sign)


def _terms(due_on: date) -> PaymentTerms:
    made = PaymentTerms()
    made.due = datetime(due_on.year, due_on.month, due_on.day)  # noqa: DTZ001 - a calendar day, in no zone
    return made


def _tax(tax: TaxLine, sign: int) -> ApplicableTradeTax:
    made = ApplicableTradeTax()
    made.calculated_amount = _amount(tax.tax, sign)
    made.basis_amount = _amount(tax.base, sign)
    made.type_code = "VAT"
    made.category_code = str(tax.category)
    made.rate_applicable_percent = tax.vat or Decimal(0)
    if tax.reason:
        made.exemption_reason = tax.reason
    return made


def _amount(money: Money, sign: int) -> Decimal:
    return (sign * money.amount).quantize(_CENT)
