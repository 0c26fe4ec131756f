"""Signed meter values: kept to the byte, and verified where that is possible. Decided here: the verdict and its sentence.

OCMF is verified by `pyocmf`; other encodings (EDL, ALFEN, …) are kept and said to be unverified. Without a public key nothing
can be verified; a key that travels with the data proves only that nobody changed it on the way, so the verdict says whose it was.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from billing_reports.cdr import SignedReading
from billing_reports.evidence import Signed
from billing_reports.meter_keys import same
from chargenet.model.measurement import SignedMeterValue

VALID, INVALID, UNVERIFIED = "valid", "invalid", "unverified"
REGISTERED, SENT = "registered", "sent"
BY_REGISTERED = "verified with the registered key"
BY_SENT = "verified only with the key that came along: no key of this meter is registered"
MISMATCH = "mismatch: the signature does not match the registered key"
OTHER_METER = f"{MISMATCH}, only the key that came along: another meter, or the wrong key was registered"
CHANGED = "the signature does not match the key that came along"
NO_KEY = "no public key of this meter is known"
MOST = 64
"""Signed values kept of one transaction: the first half and the last half of these; begin and end are among them."""

Known = Callable[[Iterable[str]], str | None]
"""Serial numbers that a signed value names → the registered key of that meter."""


class _Wrapper(msgspec.Struct, frozen=True):
    """The JSON around signed data that OCPP 1.6 charge points send (the application note on signed meter values)."""

    signedMeterData: str = ""
    publicKey: str = ""


class _Named(msgspec.Struct, frozen=True):
    """Serial numbers in OCMF: of the meter (MS), of the gateway that signs (GS)."""

    MS: str = ""
    GS: str = ""


def verified(found: Iterable[Signed], known: Known | None = None) -> tuple[SignedReading, ...]:
    """Each signed value with its verdict. `known`: keys that were registered; a registered key wins."""
    each = list(found)
    kept = each if len(each) <= MOST else [*each[: MOST // 2], *each[-MOST // 2 :]]
    return tuple(verify(one.value, known and known(serials_of(one.value)), one.sequence) for one in kept)


def verified_again(readings: Iterable[SignedReading], known: Known) -> tuple[SignedReading, ...]:
    """Readings of a CDR, judged by the keys that are registered now."""
    values = (
        Signed(each.sequence or 0, SignedMeterValue(each.payload, each.encoding, None, each.sent_key, each.context))
        for each in readings
    )
    return verified(values, known)


def verify(value: SignedMeterValue, known_key: str | None = None, sequence: int | None = None) -> SignedReading:
    """The verdict about one value. Never raises for what a charge point sent."""
    data, own_key = _unwrapped(value)
    ocmf = _is_ocmf(data, value.encoding_method)
    encoding = "OCMF" if ocmf else (value.encoding_method or "unknown")
    verdict, source, reason = _ocmf(data, known_key, own_key) if ocmf else _other(value)
    return SignedReading(
        encoding, value.data, known_key or own_key or None, value.context, verdict, reason, sequence, source, own_key or None
    )


def serials_of(value: SignedMeterValue) -> tuple[str, ...]:
    """Serial numbers of meter and gateway that an OCMF value names; none where it cannot be read."""
    data, _ = _unwrapped(value)
    parts = data.strip().split("|")
    if parts[0] != "OCMF" or len(parts) < 2:
        return ()
    try:
        named = msgspec.json.decode(parts[1], type=_Named)
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(each for each in (named.MS, named.GS) if each)


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


def _other(value: SignedMeterValue) -> tuple[str, str | None, str]:
    return UNVERIFIED, None, f"{value.encoding_method or 'this encoding'} is kept as it came; only OCMF is verified here"


def _ocmf(data: str, known_key: str | None, own_key: str) -> tuple[str, str | None, str]:
    """(verdict, whose key, why)."""
    from pyocmf import OCMF, PyOCMFError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deviations that the transparency software accepts too
            record = OCMF.from_string(data)
            own = own_key or record.embedded_public_key or ""
            if known_key:
                return _registered(record, known_key, own)
            if not own:
                return UNVERIFIED, None, NO_KEY
            return (VALID, SENT, BY_SENT) if record.verify_signature(own) else (INVALID, SENT, CHANGED)
    except (PyOCMFError, ValueError) as error:
        return UNVERIFIED, None, f"cannot be verified: {str(error).splitlines()[0][:200]}"


def _registered(record: Any, known_key: str, own: str) -> tuple[str, str, str]:
    """Of a record that could be read. A registered key of another curve is a mismatch, not a doubt."""
    if _matches(record, known_key):
        return VALID, REGISTERED, BY_REGISTERED
    other = bool(own) and not same(own, known_key) and _matches(record, own)
    return INVALID, REGISTERED, OTHER_METER if other else MISMATCH


def _matches(record: Any, key: str) -> bool:
    from pyocmf import PyOCMFError

    try:
        return bool(record.verify_signature(key))
    except (PyOCMFError, ValueError):
        return False
