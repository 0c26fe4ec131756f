"""Reports that were delivered, as files: what a webhook names, its receiver fetches here with a key of its own."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from billing_reports.formats import FORMATS
from chargewatch.api.answers import returns
from chargewatch.api.auth import Reader
from chargewatch.api.reports import Program

router = APIRouter(prefix="/reports/delivered", tags=["reports"])
_FILE = returns(bytes, "The file, as it was attached.")
_FILE[200]["content"] = {kind.partition(";")[0]: {} for kind in FORMATS.values()}
Name = Annotated[str, Path(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", description="As the notice names it.")]


@router.get("/{name}", response_class=Response, responses=_FILE)
async def download(name: Name, _: Reader, program: Program) -> Response:
    """The file of a scheduled report; kept for 60 days."""
    body = await asyncio.to_thread(program.delivery.file, name)
    return Response(body, media_type=FORMATS[name.rpartition(".")[2]])
