"""Colours, fonts and measures that all documents share."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

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
            pdfmetrics.registerFont(TTFont(name, str(folder / file)))
        pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD)


@lru_cache(maxsize=64)
def colour(code: str) -> HexColor:
    """For reportlab."""
    return HexColor(code)
