"""Signed meter values: kept to the byte, and verified where that is possible. Decided here: the verdict and its sentence.

OCMF is verified by `pyocmf`; other encodings (EDL, ALFEN, …) are kept and said to be unverified. Without a public key nothing
can be verified; a key that travels with the data proves only that nobody changed it on the way, so the verdict says whose it was.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from billing_reports.cdr import SignedReading
from billing_reports.evidence import Signed
from chargenet.model.measurement import SignedMeterValue

VALID, INVALID, UNVERIFIED = "valid", "invalid", "unverified"
MOST = 64
"""Signed values kept of one transaction: the first half and the last half of these; begin and end are among them."""


class _Wrapper(msgspec.Struct, frozen=True):
    """The JSON around signed data that OCPP 1.6 charge points send (the application note on signed meter values)."""

    signedMeterData: str = ""
    publicKey: str = ""


def verified(found: Iterable[Signed], known_key: str | None = None) -> tuple[SignedReading, ...]:
    """Each signed value with its verdict. `known_key`: the meter's public key as we know it from elsewhere; it wins."""
    each = list(found)
    kept = each if len(each) <= MOST else [*each[: MOST // 2], *each[-MOST // 2 :]]
    return tuple(verify(one.value, known_key, one.sequence) for one in kept)


def verify(value: SignedMeterValue, known_key: str | None = None, sequence: int | None = None) -> SignedReading:
    """The verdict about one value. Never raises for what a charge point sent."""
    data, own_key = _unwrapped(value)
    key = known_key or own_key
    verdict, reason = _ocmf(data, known_key, own_key) if _is_ocmf(data, value.encoding_method) else _other(value)
    encoding = "OCMF" if _is_ocmf(data, value.encoding_method) else (value.encoding_method or "unknown")
    return SignedReading(encoding, value.data, key or None, value.context, verdict, reason, sequence)


def energy_wh(reading: SignedReading) -> Decimal | None:
    """The last import register that an OCMF value states, in Wh; None where it states none."""
    if reading.encoding != "OCMF":
        return None
    from pyocmf import OCMF, EnergyUnit, PyOCMFError  # slow to import, and most networks sign nothing

    data, _ = _unwrapped(SignedMeterValue(reading.payload))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            payload = OCMF.from_string(data).payload
    except (PyOCMFError, ValueError):
        return None
    for each in reversed(payload.RD or []):
        if each.RV is not None and each.RU in (EnergyUnit.KWH, EnergyUnit.WH):
            return Decimal(each.RV) * (1000 if each.RU == EnergyUnit.KWH else 1)
    return None


def _unwrapped(value: SignedMeterValue) -> tuple[str, str]:
    """(signed data, public key) of a value that may come inside JSON."""
    if not value.data.lstrip().startswith("{"):
        return value.data, value.public_key or ""
    try:
        wrapper = msgspec.json.decode(value.data, type=_Wrapper)
    except (msgspec.DecodeError, RecursionError):
        return value.data, value.public_key or ""
    return wrapper.signedMeterData or value.data, value.public_key or wrapper.publicKey


def _is_ocmf(data: str, encoding: str | None) -> bool:
    return data.lstrip().startswith("OCMF|") or (encoding or "").upper().startswith("OCMF")


def _other(value: SignedMeterValue) -> tuple[str, str]:
    return UNVERIFIED, f"{value.encoding_method or 'this encoding'} is kept as it came; only OCMF is verified here"


def _ocmf(data: str, known_key: str | None, own_key: str) -> tuple[str, str]:
    from pyocmf import OCMF, PyOCMFError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deviations that the transparency software accepts too
            record = OCMF.from_string(data)
            key = known_key or own_key or record.embedded_public_key
            if not key:
                return UNVERIFIED, "no public key of this meter is known"
            whose = "the key known for the meter" if known_key else "the key sent with it"
            if record.verify_signature(key):
                return VALID, f"the signature matches {whose}"
            return INVALID, f"the signature does not match {whose}"
    except (PyOCMFError, ValueError) as error:
        return UNVERIFIED, f"cannot be verified: {str(error).splitlines()[0][:200]}"
