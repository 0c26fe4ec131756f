"""The fleet as a plan sees it: one value per charge point, taken once. Decided here: what a plan may know; not where it is read."""

from __future__ import annotations

from bisect import bisect_left

import msgspec

USE = ("low", "middle", "high")


class FleetMember(msgspec.Struct, frozen=True, kw_only=True):
    """A charge point at the moment of planning. None is always "not known"."""

    charge_point_id: str
    registration: str | None = "Accepted"
    site_id: str | None = None
    time_zone: str | None = None
    """IANA name, from the site."""
    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    hardware: str | None = None
    firmware_version: str | None = None
    protocol: str | None = None
    """ocpp1.6, ocpp2.0.1 or ocpp2.1."""
    tags: tuple[str, ...] = ()
    connected: bool = False
    firmware_profile: bool | None = None
    """1.6: FirmwareManagement is among its SupportedFeatureProfiles. 2.x has it always."""
    signed_form: bool | None = None
    """1.6: does it take SignedUpdateFirmware?"""
    transfer_protocols: tuple[str, ...] | None = None
    """HTTP, HTTPS, FTP, FTPS, SFTP as it says."""
    connectivity: str = "unknown"
    """cellular (it reported an ICCID or IMSI) or fixed; a stratum."""
    use: str = "unknown"
    """low, middle or high: its tercile of transactions in the last 28 days; a stratum."""
    online_share: float | None = None
    """Of the last 7 days, 0…1."""
    open_fault: bool = False
    engaged_by: str | None = None
    """Another rollout that has not ended and wants it."""


def connectivity(iccid: str | None, imsi: str | None) -> str:
    """A charge point that reports a SIM card is on a mobile network."""
    return "cellular" if iccid or imsi else "fixed"


def use_terciles(transactions: dict[str, int]) -> dict[str, str]:
    """Charge point → low, middle or high, by its transactions; equal counts get the same word."""
    counts = sorted(transactions.values())
    return {name: USE[3 * bisect_left(counts, count) // len(counts)] for name, count in transactions.items()}
