"""What PDF/A-3 wants of a PDF beside its content. Decided here: its colours are sRGB, and say so.

Metadata, the attached invoice and its relationship are added with the e-invoice (`einvoice.facturx`); fonts are in theme.py.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from PIL import ImageCms
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFString
from reportlab.pdfgen.canvas import Canvas

from billing_reports.render.pages import NumberedCanvas

_MADE = slice(24, 36)
"""Where an ICC profile says when it was made (ICC.1:2022, 7.2): the instant of this run would make each file another one."""


@lru_cache(maxsize=1)
def srgb() -> bytes:
    """The ICC profile of sRGB (IEC 61966-2-1), always the same bytes."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[_MADE] = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    return bytes(made)


def archival(foot: Callable[[Canvas, int, int], None]) -> Callable[..., NumberedCanvas]:
    """Makes canvases whose document has an output intent (ISO 19005-3, 6.2.3)."""

    def made(*args: Any, **more: Any) -> NumberedCanvas:
        canvas = NumberedCanvas(*args, foot=foot, **more)
        document = canvas._doc
        name = PDFString("sRGB IEC61966-2.1")
        intent = {
            "Type": PDFName("OutputIntent"), "S": PDFName("GTS_PDFA1"), "OutputConditionIdentifier": name, "Info": name,
            "DestOutputProfile": document.Reference(PDFStream(PDFDictionary({"N": 3}), srgb())),
        }  # fmt: skip
        document.Catalog.OutputIntents = PDFArray([PDFDictionary(intent)])
        document.Catalog.__NoDefault__ = [*document.Catalog.__NoDefault__, "OutputIntents"]
        return canvas

    return made
