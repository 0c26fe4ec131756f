"""Firmware. Decided here: which reports are failures, and that a version nobody ordered is a finding."""

from __future__ import annotations

from alerts.detectors.rules.view import View
from alerts.finding import Evidence, Finding
from alerts.signals.marks import sequences, since

FAILED = frozenset(
    {"DownloadFailed", "InstallationFailed", "InstallVerificationFailed", "InvalidSignature", "InvalidCertificate",
     "RevokedCertificate", "CertificateVerificationFailed"}
)  # fmt: skip
"""1.6 FirmwareStatus with the security whitepaper's, 2.0.1 FirmwareStatusEnumType, and what vendors send in their place."""


def failed(view: View) -> Finding | None:
    """The last it said about firmware is that it failed."""
    firmware = view.point.firmware
    if firmware.status not in FAILED or firmware.status_at is None:
        return None
    if view.age_s(firmware.status_at) >= view.settings.firmware_failed_kept_s:
        return None
    why = f" ({firmware.info})" if firmware.info else ""
    told = [
        Evidence(
            what=f"It reported {firmware.status}{why} at {view.when(firmware.status_at)}.",
            value=firmware.status,
            sequences=(firmware.status_sequence,),
        )
    ]
    if firmware.ordered_at is not None:
        what = f"We had sent it the update at {view.when(firmware.ordered_at)}."
        told.append(Evidence(what=what, sequences=(firmware.ordered_sequence,)))
    version = view.point.firmware_version
    if version is not None:
        told.append(Evidence(what=f"It runs {version}.", value=version, sequences=(view.point.firmware_sequence,)))
    return view.found(
        "firmware_failed",
        None,
        began_at=firmware.status_at,
        summary=f"its firmware update failed: {firmware.status}",
        evidence=told,
    )


def unexpected(view: View) -> Finding | None:
    """It came back with another version without an order of ours."""
    changes = view.point.firmware_changes
    if not changes:
        return None
    recent = since(changes, view.now, view.settings.unexpected_firmware_kept_s)
    if not recent:
        return None
    last = recent[-1]
    return view.found(
        "unexpected_firmware",
        None,
        began_at=recent[0].at,
        summary=f"its firmware changed without an order: {last.what}",
        evidence=[
            Evidence(
                what=f"At {view.when(last.at)} it booted with another version ({last.what}); no update was ordered before.",
                value=last.what,
                sequences=sequences(recent),
            )
        ],
    )
