"""What a status or a problem says → known codes. Decided here: where codes are looked for, and that several may come at once.

ChargeX codes stand in vendorErrorCode whatever the vendor, joined by ";" (inl.gov/chargex/mrec). A vendor's own codes count only
where its vendorId or name is given: "F001" of one vendor is not that of another.
"""

from __future__ import annotations

import re
from functools import lru_cache

from alerts.codes.table import Code, table

_NOTHING = frozenset({"", "noerror", "none", "no error", "ok", "0", "0x0", "0x00", "0x0000"})
_SEPARATORS = re.compile(r"[;|]")
_MREC_TYPE = re.compile(r"(?:.*/)?MREC(\d{1,2})[A-Z]\w*", re.ASCII)
"""How EVerest names its errors: "evse_board_support/MREC2GroundFailure"."""
_EVGO = re.compile(r"(A[0-9A-F]|F[0-9A-F])[0-9A-F]{2}", re.ASCII)
_CHARGEX = re.compile(r"CX\d{3}", re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=4096)
def translate(
    error_code: str | None,
    vendor_error_code: str | None = None,
    vendor_id: str | None = None,
    info: str | None = None,
    vendor: str | None = None,
) -> tuple[Code, ...]:
    """All codes of one StatusNotification, the most telling first, none twice. `vendor` as at the boot.

    OtherError is left out where a vendor's code says more. A code in no table is given with its own text as its name.
    """
    codes = _vendor_codes(vendor_error_code or "", _families(vendor_id, vendor))
    codes += _by_info(info or "", _families(vendor_id, vendor))
    text = (error_code or "").strip()
    if text.casefold() not in _NOTHING:
        known = table().code("ocpp16", text)
        if known is None:
            codes.append(_unknown(text))
        elif known.code != "OtherError" or not codes:
            codes.append(known)
    return _once(codes)


@lru_cache(maxsize=4096)
def translate_component(component: str, tech_code: str | None, vendor: str | None = None) -> tuple[Code, ...]:
    """The codes of a problem that NotifyEvent reported: its technical code, and what its component is for."""
    codes = _vendor_codes(tech_code or "", _families(None, vendor))
    known = table().code("component", component)
    if known is not None:
        codes.append(known)
    return _once(codes)


def _families(vendor_id: str | None, vendor: str | None) -> list[str]:
    said = {text.strip().casefold() for text in (vendor_id, vendor) if text}
    return [name for name, family in table().families.items() if said.intersection(family.vendor_ids)]


def _vendor_codes(text: str, families: list[str]) -> list[Code]:
    parts = _SEPARATORS.split(text)
    for name in families:
        separator = table().families[name].separator
        parts = [piece for part in parts for piece in part.split(separator)]
    found = []
    for part in (part.strip() for part in parts):
        if part.casefold() in _NOTHING:
            continue
        code = _one(part, families)
        if code is not None:
            found.append(code)
    return found


def _one(text: str, families: list[str]) -> Code | None:
    """A vendor's row, a ChargeX code, a code of the standard in the wrong field, or the text itself."""
    for name in families:
        row = table().code(name, text)
        if row is not None:
            return None if row.name == "Information" else row
    if (match := _MREC_TYPE.fullmatch(text)) is not None:
        return table().code("chargex", f"CX{int(match[1]):03d}") or _unknown(text)
    if _CHARGEX.fullmatch(text):
        return table().code("chargex", text) or _unknown(text)
    if "evgo" in families and _EVGO.fullmatch(text):
        return _evgo(text)
    return table().code("ocpp16", text) or _unknown(text)


def _evgo(text: str) -> Code:
    """By their ranges: A0–AF a driver can mend, F0–FF are about safety (mrec.evgo.com, code format)."""
    safety = text.startswith("F")
    means = (
        "A fault that EVgo's table calls safety related." if safety else "A fault that EVgo's table calls mendable by the driver."
    )
    return Code(family="evgo", code=text, name=text, means=means, safety=safety, user=not safety)


def _by_info(info: str, families: list[str]) -> list[Code]:
    text = info.strip().casefold()
    return [row for name in families for row in table().families[name].codes if row.info and text.startswith(row.info.casefold())]


def _unknown(text: str) -> Code:
    return Code(family="", code=text, name=text, means="A code that is in no table here.")


def _once(codes: list[Code]) -> tuple[Code, ...]:
    """Each thing once: by its name, or by the code that it is the same as; safety first, order kept otherwise."""
    seen: set[str] = set()
    kept = []
    for code in codes:
        names = {code.name.casefold(), code.code.casefold(), *([code.same_as.casefold()] if code.same_as else [])}
        if not seen & names:
            kept.append(code)
        seen |= names
    return tuple(sorted(kept, key=lambda code: not code.safety))
