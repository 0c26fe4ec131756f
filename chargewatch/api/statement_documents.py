"""A statement as a document: PDF (with the e-invoice inside where it can be one), XML, CSV, JSON."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from billing_reports.formats import FORMATS, statement_file
from chargewatch.api.answers import Name
from chargewatch.api.billing_values import BillingReader, Desk

router = APIRouter(prefix="/statements", tags=["billing"])


@router.get("/{statement_id}/document", responses={200: {"description": "The document."}}, response_class=Response)
async def statement_document(
    statement_id: Name,
    _: BillingReader,
    desk: Desk,
    form: Annotated[
        Literal["pdf", "xml", "csv", "json"], Query(alias="format", description="`xml` is the EN 16931 e-invoice alone.")
    ] = "pdf",
) -> Response:
    """What a customer gets. A final statement's PDF carries its e-invoice (Factur-X), where the parties say what that needs."""
    statement = await desk.statement(statement_id)
    body = await asyncio.to_thread(statement_file, statement, form)
    name = f"{statement.number or statement.id}.{form}"
    return Response(body, media_type=FORMATS[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})
