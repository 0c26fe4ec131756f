"""A Document as one HTML file: styles and drawings inside, nothing fetched from anywhere, so that it can be mailed and kept."""

from __future__ import annotations

import io
from collections.abc import Callable
from html import escape
from typing import Any

from billing_reports.render import theme
from billing_reports.render.document import Block, Document, Heading, NewPage, Plot, Rows, Text, Tiles

_STYLE = f"""
body {{ font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: {theme.INK}; margin: 0; background: #fff; }}
main {{ max-width: 1000px; margin: 0 auto; padding: 2rem 1.5rem; }}
header {{ border-left: 6px solid {theme.ACCENT}; padding-left: 1rem; margin-bottom: 2rem; }}
h1 {{ font-size: 1.7rem; margin: 0; }} header p, footer, .small {{ color: {theme.MUTED}; margin: 0; }}
h2 {{ color: {theme.ACCENT}; font-size: 1.15rem; margin: 2.2rem 0 .6rem; }}
.small {{ font-size: .85rem; margin-bottom: 1rem; }}
.tiles {{ display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); margin: 1rem 0; }}
.tile {{ background: {theme.WASH}; border-top: 3px solid {theme.ACCENT}; padding: .8rem 1rem; }}
.tile b {{ display: block; font-size: 1.5rem; line-height: 1.4; }} .tile small {{ color: {theme.MUTED}; display: block; }}
.good b, td.good {{ color: {theme.GOOD}; }} .warn b, td.warn {{ color: {theme.WARN}; }} .bad b, td.bad {{ color: {theme.BAD}; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: .87rem; margin: .6rem 0 1.4rem; font-variant-numeric: tabular-nums; }}
th {{ color: {theme.MUTED}; font-weight: normal; border-bottom: 2px solid {theme.INK}; }}
th, td {{ padding: .35rem .6rem; text-align: left; }} td {{ border-bottom: 1px solid {theme.FAINT}; }}
.r {{ text-align: right; }} tr.total td {{ font-weight: bold; border-top: 2px solid {theme.INK}; }}
svg {{ width: 100%; height: auto; }} figure {{ margin: 1rem 0; }}
footer {{ border-top: 1px solid {theme.FAINT}; margin-top: 3rem; padding-top: .6rem; font-size: .8rem; }}
"""


def html(document: Document) -> bytes:
    """The document as UTF-8 HTML. Call it in a worker thread."""
    body = "\n".join(_FORMS[type(block)](block) for block in document.blocks)
    text = (
        f'<!doctype html>\n<html lang="{escape(document.language)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(document.title)}</title><style>{_STYLE}</style></head>'
        f"<body><main><header><h1>{escape(document.title)}</h1><p>{escape(document.subtitle)}</p></header>\n{body}\n"
        f"<footer>{escape(document.made)}</footer></main></body></html>\n"
    )
    return text.encode()


def _text(block: Text) -> str:
    return f'<p class="small">{escape(block.text)}</p>' if block.small else f"<p>{escape(block.text)}</p>"


def _tiles(block: Tiles) -> str:
    each = (
        f'<div class="tile {tile.tone}">{escape(tile.label)}<b>{escape(tile.value)}</b><small>{escape(tile.note)}</small></div>'
        for tile in block.tiles
    )
    return f'<div class="tiles">{"".join(each)}</div>'


def _rows(block: Rows) -> str:
    head = "".join(f'<th class="{align}">{escape(text)}</th>' for text, align in zip(block.head, block.align, strict=True))
    lines = []
    for number, row in enumerate(block.rows):
        cells = "".join(_cell(block, number, column, text) for column, text in enumerate(row))
        last = block.total and number == len(block.rows) - 1
        lines.append(f"<tr{' class=total' if last else ''}>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _cell(block: Rows, number: int, column: int, text: str) -> str:
    tone = block.tones.get((number, column), "")
    bar = ""
    if column in block.bars:
        share = round(max(0.0, min(1.0, block.bars[column][number])) * 100)
        bar = f' style="background:linear-gradient(90deg,{theme.ACCENT_SOFT} {share}%,transparent {share}%)"'
    return f'<td class="{block.align[column]} {tone}"{bar}>{escape(text)}</td>'


def _plot(block: Plot) -> str:
    buffer = io.StringIO()
    block.draw().savefig(buffer, format="svg", metadata={"Date": None})
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    return f'<figure role="img" aria-label="{escape(block.says, quote=True)}">{drawing}</figure>'


_FORMS: dict[type[Block], Callable[[Any], str]] = {
    Heading: lambda block: f"<h2>{escape(block.text)}</h2>",
    Text: _text,
    Tiles: _tiles,
    Rows: _rows,
    Plot: _plot,
    NewPage: lambda _: "",
}
