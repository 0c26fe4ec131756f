"""The small chart of a statement: energy per local day of its month. Drawn with lines of the PDF itself, so that it stays sharp."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from reportlab.graphics.shapes import Drawing, Line, Rect, String

from billing_reports.render import theme
from billing_reports.render.theme import REGULAR, colour
from billing_reports.render.words import Words
from billing_reports.statement import LineKind, Statement

MOST_DAYS = 62
_USED = (LineKind.SESSION, LineKind.CORRECTION, LineKind.HOME_CHARGING)


def energy_by_day(statement: Statement) -> dict[date, int]:
    """Wh by the local day on which the session began, for every day of the statement."""
    zone = ZoneInfo(statement.time_zone)
    days = min((statement.last_day - statement.first_day).days + 1, MOST_DAYS)
    found = {statement.first_day + timedelta(days=number): 0 for number in range(max(days, 1))}
    for line in statement.lines:
        if line.kind in _USED and line.started_at is not None:
            day = min(max(line.started_at.astimezone(zone).date(), statement.first_day), max(found))
            found[day] += line.energy_wh
    return found


def use_chart(statement: Statement, say: Words, width: float, height: float) -> Drawing:
    """Bars with a scale of two lines and every fifth day named."""
    found = energy_by_day(statement)
    most = max([*found.values(), 1])
    top = _nice(most / 1000)
    drawing = Drawing(width, height)
    left, low = 24.0, 11.0
    room, tall = width - left, height - low - 6
    for share in (0.5, 1.0):
        level = low + tall * share
        drawing.add(Line(left, level, width, level, strokeColor=colour(theme.FAINT), strokeWidth=0.5))
        text = say.number(top * share, 0 if top * share == int(top * share) else 1)
        drawing.add(
            String(left - 4, level - 2.2, text, fontName=REGULAR, fontSize=6, fillColor=colour(theme.MUTED), textAnchor="end")
        )
    step = room / len(found)
    for number, (day, energy_wh) in enumerate(found.items()):
        at = left + step * number
        if energy_wh > 0:
            high = tall * min(energy_wh / 1000 / top, 1.0)
            drawing.add(Rect(at + step * 0.14, low, step * 0.72, high, fillColor=colour(theme.ACCENT), strokeColor=None))
        if day.day == 1 or day.day % 5 == 0:
            drawing.add(
                String(
                    at + step / 2,
                    2.5,
                    str(day.day),
                    fontName=REGULAR,
                    fontSize=6,
                    fillColor=colour(theme.MUTED),
                    textAnchor="middle",
                )
            )
    drawing.add(Line(left, low, width, low, strokeColor=colour(theme.MUTED), strokeWidth=0.5))
    return drawing


def _nice(most: float) -> float:
    """The next number that reads well."""
    scale = 1.0
    while most > 10 * scale:
        scale *= 10
    while most <= scale:
        scale /= 10
    return next(scale * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if scale * step >= most)
