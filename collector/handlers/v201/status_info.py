"""StatusInfoType of a report as one text. Notifications have had it since 2.1."""

from __future__ import annotations

from typing import Any


def status_info(call: Any) -> str | None:
    """`reasonCode: additionalInfo`, or what there is of it."""
    info = getattr(call, "statusInfo", None)
    if info is None:
        return None
    return ": ".join(part for part in (info.reasonCode, info.additionalInfo) if part) or None
