"""A Document as PDF. Decided here: paper, margins, type and colours of reports; reportlab lays out the pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from billing_reports.render import theme
from billing_reports.render.document import Block, Document, Heading, NewPage, Plot, Rows, Text, Tile, Tiles
from billing_reports.render.theme import BOLD, REGULAR, colour
from billing_reports.render.words import words

MARGIN = 16 * mm
WIDTH = A4[0] - 2 * MARGIN
_DPI = 200
_TONES = {"good": theme.GOOD, "warn": theme.WARN, "bad": theme.BAD, "": theme.INK}


def style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    """A paragraph style in our type and ink."""
    return ParagraphStyle(name, fontName=more.pop("font", REGULAR), fontSize=size, leading=leading,
                          textColor=colour(more.pop("ink", theme.INK)), **more)  # fmt: skip


def escaped(text: str) -> str:
    """For reportlab's paragraphs, which read markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Knows how many pages there are before it writes their feet."""

    def __init__(self, *args: Any, foot: Callable[[Canvas, int, int], None], **more: Any) -> None:
        super().__init__(*args, **more)
        self._foot = foot
        self._states: list[dict[str, Any]] = []

    def showPage(self) -> None:
        """Keeps the page until all are known."""
        self._states.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Writes the feet, then the file."""
        for number, state in enumerate(self._states, 1):
            self.__dict__.update(state)
            self._foot(self, number, len(self._states))
            super().showPage()
        super().save()


def pdf(document: Document) -> bytes:
    """The document as PDF. Takes about a second where there are plots: call it in a worker thread or process."""
    theme.register_fonts()
    buffer = io.BytesIO()
    made = BaseDocTemplate(
        buffer, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=30 * mm, bottomMargin=18 * mm,
        title=document.title, author="chargewatch", subject=document.subtitle, lang=document.language,
    )  # fmt: skip
    frame = Frame(MARGIN, 18 * mm, WIDTH, A4[1] - 48 * mm, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    made.addPageTemplates([PageTemplate(frames=[frame], onPage=lambda canvas, _: _head(canvas, document))])
    story: list[Flowable] = []
    for block, following in zip(document.blocks, (*document.blocks[1:], None), strict=True):
        if isinstance(block, Heading) and isinstance(following, Plot):
            story.append(CondPageBreak(WIDTH * following.height + 25 * mm))
        story += _FORMS[type(block)](block)
    made.build(story, canvasmaker=lambda *args, **more: NumberedCanvas(*args, foot=_foot(document), **more))
    return buffer.getvalue()


def _head(canvas: Canvas, document: Document) -> None:
    top = A4[1] - 14 * mm
    canvas.saveState()
    canvas.setFillColor(colour(theme.ACCENT))
    canvas.rect(MARGIN, top - 7.5 * mm, 1.6 * mm, 10.5 * mm, stroke=0, fill=1)
    canvas.setFillColor(colour(theme.INK))
    canvas.setFont(BOLD, 15)
    canvas.drawString(MARGIN + 5 * mm, top - 1.5 * mm, document.title)
    canvas.setFont(REGULAR, 8.5)
    canvas.setFillColor(colour(theme.MUTED))
    canvas.drawString(MARGIN + 5 * mm, top - 6.8 * mm, document.subtitle)
    canvas.restoreState()


def _foot(document: Document) -> Callable[[Canvas, int, int], None]:
    say = words(document.language)

    def draw(canvas: Canvas, page: int, pages: int) -> None:
        canvas.setStrokeColor(colour(theme.FAINT))
        canvas.setLineWidth(0.6)
        canvas.line(MARGIN, 13 * mm, A4[0] - MARGIN, 13 * mm)
        canvas.setFont(REGULAR, 7)
        canvas.setFillColor(colour(theme.MUTED))
        canvas.drawString(MARGIN, 9 * mm, document.made)
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, say("page", page=page, pages=pages))

    return draw


def _heading(block: Heading) -> list[Flowable]:
    return [
        CondPageBreak(45 * mm),
        Spacer(1, 5 * mm),
        Paragraph(escaped(block.text), style("heading", 11.5, 15, font=BOLD, ink=theme.ACCENT)),
        Spacer(1, 2 * mm),
    ]


def _text(block: Text) -> list[Flowable]:
    made = style("small", 7.3, 10.4, ink=theme.MUTED) if block.small else style("text", 8.8, 12.6)
    return [Paragraph(escaped(block.text), made), Spacer(1, 2.2 * mm)]


def _tiles(block: Tiles) -> list[Flowable]:
    gap = 3 * mm
    each = (WIDTH - gap * (len(block.tiles) - 1)) / len(block.tiles)
    cells: list[Any] = []
    widths: list[float] = []
    for number, tile in enumerate(block.tiles):
        if number:
            cells.append("")
            widths.append(gap)
        cells.append(_tile(tile))
        widths.append(each)
    table = Table([cells], colWidths=widths)
    boxes = [("BACKGROUND", (column, 0), (column, 0), colour(theme.WASH)) for column in range(0, len(cells), 2)]
    lines = [
        ("LINEABOVE", (column, 0), (column, 0), 1.6, colour(_TONES[tile.tone] if tile.tone else theme.ACCENT))
        for column, tile in zip(range(0, len(cells), 2), block.tiles, strict=True)
    ]
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_padding(3 * mm, 2.6 * mm), *boxes, *lines]))
    return [table, Spacer(1, 3 * mm)]


def _tile(tile: Tile) -> list[Flowable]:
    return [
        Paragraph(escaped(tile.label), style("label", 7.4, 9.5, ink=theme.MUTED)),
        Paragraph(escaped(tile.value), style("value", 15, 20, font=BOLD, ink=_TONES[tile.tone])),
        Paragraph(escaped(tile.note), style("note", 6.7, 8.8, ink=theme.MUTED)),
    ]


def _padding(across: float, along: float) -> list[tuple[Any, ...]]:
    whole = ((0, 0), (-1, -1))
    return [
        ("LEFTPADDING", *whole, across),
        ("RIGHTPADDING", *whole, across),
        ("TOPPADDING", *whole, along),
        ("BOTTOMPADDING", *whole, along),
    ]


class _Bar(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A number with a bar behind it."""

    def __init__(self, text: str, share: float, width: float) -> None:
        super().__init__()
        self._text, self._share, self.width, self.height = text, max(0.0, min(1.0, share)), width, 8.6

    def wrap(self, *_: float) -> tuple[float, float]:
        """Its size."""
        return self.width, self.height

    def draw(self) -> None:
        """Bar from the left, number at the right."""
        self.canv.setFillColor(colour(theme.ACCENT_SOFT))
        self.canv.rect(0, -0.6, (self.width - 32) * self._share, 8.2, stroke=0, fill=1)
        self.canv.setFillColor(colour(theme.INK))
        self.canv.setFont(REGULAR, 7.2)
        self.canv.drawRightString(self.width, 1.4, self._text)


def _rows(block: Rows) -> list[Flowable]:
    widths = [WIDTH * share / sum(block.widths) for share in block.widths]
    head = [
        Paragraph(escaped(text), _cell(align, theme.MUTED, REGULAR)) for text, align in zip(block.head, block.align, strict=True)
    ]
    data: list[list[Any]] = [head]
    for number, row in enumerate(block.rows):
        last = block.total and number == len(block.rows) - 1
        cells: list[Any] = []
        for column, text in enumerate(row):
            if column in block.bars:
                cells.append(_Bar(text, block.bars[column][number], widths[column] - 4 * mm))
            else:
                ink = _TONES[block.tones.get((number, column), "")]
                cells.append(Paragraph(escaped(text), _cell(block.align[column], ink, BOLD if last else REGULAR)))
        data.append(cells)
    table = Table(data, colWidths=widths, repeatRows=1)
    marks: list[tuple[Any, ...]] = [
        *_padding(2 * mm, 1.25 * mm),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colour(theme.INK)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, colour(theme.FAINT)),
    ]
    if block.total:
        marks.append(("LINEABOVE", (0, -1), (-1, -1), 0.8, colour(theme.INK)))
    table.setStyle(TableStyle(marks))
    return [table, Spacer(1, 3 * mm)]


def _cell(align: str, ink: str, font: str) -> ParagraphStyle:
    return style(f"cell{align}{ink}{font}", 7.2, 9.4, ink=ink, font=font, **({"alignment": TA_RIGHT} if align == "r" else {}))


def _plot(block: Plot) -> list[Flowable]:
    buffer = io.BytesIO()
    figure = block.draw()
    figure.savefig(buffer, dpi=_DPI, format="png")
    buffer.seek(0)
    width, height = figure.get_size_inches()
    return [KeepTogether([Image(buffer, width=WIDTH, height=WIDTH * height / width), Spacer(1, 3 * mm)])]


_FORMS: dict[type[Block], Callable[[Any], list[Flowable]]] = {
    Heading: _heading,
    Text: _text,
    Tiles: _tiles,
    Rows: _rows,
    Plot: _plot,
    NewPage: lambda _: [PageBreak()],
}
