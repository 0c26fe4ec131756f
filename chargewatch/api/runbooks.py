"""Runbooks over HTTP, so that the link in a message works at night. Decided here: they need no key, nothing in them is secret."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.responses import PlainTextResponse, Response

from chargenet.errors import NotFound

FOLDERS = (
    Path(__file__).resolve().parents[2] / "docs" / "runbooks",
    Path(sys.prefix) / "share" / "chargewatch" / "runbooks",
)
"""A checkout's, or an image's."""

router = APIRouter(tags=["alerts"])
Name = Annotated[str, InPath(pattern="^[A-Za-z]{1,64}$", description="The name of an alert.", examples=["SiteOffline"])]


_PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The page, as Markdown.", "content": {"text/plain": {}}},
    404: {"description": "There is no such runbook.", "content": _PROBLEM},
    422: {"description": "That is not the name of an alert.", "content": _PROBLEM},
}


@router.get("/runbooks/{name}", responses=_ANSWERS, response_class=PlainTextResponse)
def runbook(name: Name) -> Response:
    """What an alert means, whom it hurts, how to look and what to do."""
    for folder in FOLDERS:
        page = folder / f"{name}.md"
        if page.is_file():
            return PlainTextResponse(page.read_text(encoding="utf-8"))
    raise NotFound("runbook", name)
