"""`/docs` is a page of ours: nothing in it runs, and nothing is loaded from anywhere."""

from __future__ import annotations

import re
from typing import Any

from chargewatch.api.docs_page import POLICY, page
from tests.support.api import Api

HOSTILE = '"><script>alert(1)</script>'


async def test_every_operation_is_on_the_page(api: Api) -> None:
    """Each path and method of the document, each schema that it names, and no request to anybody, by policy and by content."""
    answer = await api.raw.get("/docs")
    document = (await api.raw.get("/openapi.json")).json()
    assert (answer.status_code, answer.headers["content-security-policy"]) == (200, POLICY)
    text = answer.text
    for path, operations in document["paths"].items():
        assert f"<code>{path}</code>" in text, path
        assert all(f"<b>{method.upper()}</b> <code>{path}</code>" in text for method in operations), path
    linked = set(re.findall(r'href="#schema-([^"]+)"', text))
    assert linked and all(f'id="schema-{name}"' in text for name in linked)
    assert "<script" not in text and not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_words_of_the_document_are_only_words() -> None:
    """Markup in a name, a description or a schema is shown, never used."""
    parameter = {"name": HOSTILE, "in": "query", "description": HOSTILE, "schema": {"enum": [HOSTILE]}}
    operation: dict[str, Any] = {
        "tags": [HOSTILE], "summary": HOSTILE, "description": HOSTILE, "parameters": [parameter],
        "responses": {HOSTILE: {"description": HOSTILE, "content": {HOSTILE: {"schema": {"$ref": f"#/x/{HOSTILE}"}}}}},
    }  # fmt: skip
    document = {
        "info": {"title": HOSTILE, "version": HOSTILE, "description": HOSTILE},
        "paths": {HOSTILE: {"get": operation}},
        "components": {"schemas": {HOSTILE: {"description": HOSTILE}}},
    }
    assert "<script" not in page(document)
