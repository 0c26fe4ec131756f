"""Colours, fonts and measures that all documents share."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

INK = "#17212b"
MUTED = "#66737f"
FAINT = "#dfe5ea"
WASH = "#f4f7f9"
ACCENT = "#0b7285"
ACCENT_SOFT = "#99d2dc"
GOOD = "#2b8a3e"
WARN = "#e67700"
BAD = "#c92a2a"
CAUSES = {"faulted": BAD, "unavailable": WARN, "offline": "#5f3dc4", "unknown": "#868e96", "excluded": "#74b816"}

REGULAR, BOLD, ITALIC, MONO = "ChargewatchSans", "ChargewatchSans-Bold", "ChargewatchSans-Italic", "ChargewatchMono"
_FILES = {
    REGULAR: "DejaVuSans.ttf",
    BOLD: "DejaVuSans-Bold.ttf",
    ITALIC: "DejaVuSans-Oblique.ttf",
    MONO: "DejaVuSansMono.ttf",
}
_LOCK = threading.Lock()


@lru_cache(maxsize=1)
def register_fonts() -> None:
    """Fonts that are embedded, so that a name in any European script prints everywhere. Harmless to call again."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    with _LOCK:
        for name, file in _FILES.items():
            font = TTFont(name, str(folder / file))
            _mend(font.face)
            pdfmetrics.registerFont(font)
        pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD)


def _mend(face: Any) -> None:
    """reportlab keeps the advances of a font's last glyphs (nearly all of a monospaced one) in 1/1000 em, as floats.

    It embeds them as units of the font: the widths in the file would contradict each other.
    """
    scale = face.unitsPerEm / 1000
    face.hmetrics = [(each if isinstance(each, int) else round(each * scale), bearing) for each, bearing in face.hmetrics]


@lru_cache(maxsize=64)
def colour(code: str) -> HexColor:
    """For reportlab."""
    return HexColor(code)
