"""From draft to final, and back by a credit note. Decided here: numbers, dates, and what a credit note copies. Pure.

The ordinal is given by the store, in the transaction that makes the statement final: a series has no gap and no number twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.house import House, missing
from billing_reports.money import Money
from billing_reports.statement import LineKind, Statement, StatementKind, StatementState
from chargenet.errors import Conflict


def number_of(series: str, ordinal: int) -> str:
    """As printed: ST-000042."""
    return f"{series}-{ordinal:06d}"


def finalized(draft: Statement, ordinal: int, now: datetime, payment_days: int) -> Statement:
    """The statement as it is issued. Conflict for one that is not a draft."""
    if draft.state is not StatementState.DRAFT:
        raise Conflict(f"statement {draft.id} is {draft.state} already")
    issued_on = now.astimezone(ZoneInfo(draft.time_zone)).date()
    return msgspec.structs.replace(
        draft,
        state=StatementState.FINAL,
        ordinal=ordinal,
        number=number_of(draft.series, ordinal),
        issued_at=now,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=payment_days),
    )


def credit_note(statement: Statement, ordinal: int, series: str, now: datetime, remark: str) -> Statement:
    """All of a final statement, negated, final at once. Conflict for drafts, credit notes and what is credited already."""
    if statement.kind is StatementKind.CREDIT_NOTE:
        raise Conflict(f"{statement.number} is a credit note itself")
    if statement.state is not StatementState.FINAL:
        raise Conflict(f"statement {statement.id} is {statement.state}: only a final one can be credited")
    issued_on = now.astimezone(ZoneInfo(statement.time_zone)).date()
    lines = tuple(msgspec.structs.replace(each, net=-each.net, gross=-each.gross, cdr=None) for each in statement.lines)
    taxes = tuple(msgspec.structs.replace(each, base=-each.base, tax=-each.tax) for each in statement.taxes)
    totals = msgspec.structs.replace(
        statement.totals, **{name: _negated(getattr(statement.totals, name)) for name in statement.totals.__struct_fields__}
    )
    return msgspec.structs.replace(
        statement,
        id=f"{statement.id}-CN",
        kind=StatementKind.CREDIT_NOTE,
        series=series,
        ordinal=ordinal,
        number=number_of(series, ordinal),
        created_at=now,
        issued_at=now,
        issued_on=issued_on,
        due_on=issued_on,
        lines=lines,
        taxes=taxes,
        totals=totals,
        unbilled=(),
        credits_id=statement.id,
        credits_number=statement.number,
        remark=remark,
    )


def _negated(money: Money) -> Money:
    return -money


def issuable(house: House) -> None:
    """Conflict where the seller does not say what a statement must say, with the settings that are missing."""
    absent = missing(house.seller)
    if absent:
        raise Conflict(f"a statement cannot be issued without {', '.join(absent)}: set them, then finalize again")


def cdr_ids(statement: Statement) -> list[str]:
    """The CDRs that a statement settles, each once."""
    kinds = (LineKind.SESSION, LineKind.CORRECTION, LineKind.HOME_CHARGING)
    return list(dict.fromkeys(each.cdr_id for each in statement.lines if each.kind in kinds and each.cdr_id is not None))
