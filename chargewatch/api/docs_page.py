"""`/docs`: the OpenAPI document as a page. Pure. Decided here: one file without scripts, and nothing is loaded from elsewhere.

A viewer of somebody else's would come from a public server, which a platform in a closed network cannot reach and which could read
the keys that are typed into it. Tools read `/openapi.json`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete", "head")
_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}
details{border:1px solid #8886;border-radius:.4rem;margin:.4rem 0;padding:.3rem .7rem}
summary{cursor:pointer;overflow-wrap:anywhere}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{overflow-x:auto}
p{white-space:pre-line}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-top:1px solid #8883}
b{display:inline-block;min-width:4.5rem}
""".strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of the page: no script, no picture, no request."""


def page(document: Mapping[str, Any]) -> str:
    """HTML of an OpenAPI 3.1 document."""
    info = document["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                groups.setdefault((operation.get("tags") or ["other"])[0], []).append(_operation(method, path, operation))
    body = "".join(f'<h2 id="{escape(tag, quote=True)}">{escape(tag)}</h2>{"".join(rows)}' for tag, rows in groups.items())
    links = " · ".join(f'<a href="#{escape(tag, quote=True)}">{escape(tag)}</a>' for tag in groups)
    schemas = "".join(_schema(name, schema) for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>{escape(info.get('description', '').strip())}</p>"
        f'<p>For tools: <a href="/openapi.json">/openapi.json</a></p><nav>{links} · <a href="#schemas">schemas</a></nav>'
        f'{body}<h2 id="schemas">schemas</h2>{schemas}</body></html>'
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"<p>{escape(operation.get('description', '').strip())}</p>"]
    parameters = operation.get("parameters", ())
    if parameters:
        rows = (
            (each["name"], each["in"] + (", required" if each.get("required") else ""), _type(each.get("schema", {})),
             escape(each.get("description", "")))
            for each in parameters
        )  # fmt: skip
        parts.append(_table(("parameter", "in", "type", ""), ((escape(name), escape(where), *rest) for name, where, *rest in rows)))
    if "requestBody" in operation:
        parts.append(_table(("body", "type"), _contents(operation["requestBody"])))
    answers = (
        (escape(status), escape(answer.get("description", "")), "<br>".join(kind for _, kind in _contents(answer)))
        for status, answer in operation.get("responses", {}).items()
    )
    parts.append(_table(("answer", "", "type"), answers))
    line = f"<b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
    return f"<details><summary>{line}</summary>{''.join(parts)}</details>"


def _contents(holder: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for media, content in holder.get("content", {}).items():
        yield escape(media), _type(content.get("schema", {}))


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    shown = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return f'<details id="schema-{escape(name, quote=True)}"><summary>{escape(name)}</summary><pre>{shown}</pre></details>'


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words; a named one as a link to it."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f'<a href="#schema-{escape(name, quote=True)}">{escape(name)}</a>'
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(_type(each) for each in schema[union])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return escape(f"{words} ({schema['format']})" if "format" in schema else words)


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """Cells are HTML already."""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{body}</table>" if body else ""
