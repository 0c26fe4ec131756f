"""Reboots and lost connections. Decided here: how many are a loop, and that a reconnect after a boot is no flap."""

from __future__ import annotations

from collections import Counter

from alerts.detectors.rules.view import View, counted, lasting, sureness
from alerts.finding import Evidence, Finding
from alerts.signals.marks import sequences, since


def reboot_loop(view: View) -> Finding | None:
    """Boots that nobody asked for."""
    settings, point = view.settings, view.point
    if len(point.boots) < settings.reboot_count:
        return None
    recent = since(point.boots, view.now, settings.reboot_window_s)
    own = [boot for boot in recent if not boot.what]
    if len(own) < settings.reboot_count:
        return None
    window = lasting(settings.reboot_window_s)
    reasons = Counter(boot.detail or "no reason" for boot in own).most_common(3)
    why = ", ".join(f"{reason} ({times})" for reason, times in reasons)
    told = [
        Evidence(
            what=f"{counted(len(own), 'boot')} in {window}, the last at {view.when(own[-1].at)}; reasons given: {why}.",
            value=len(own),
            unit="boots",
            expected=settings.reboot_count,
            sequences=sequences(own),
        )
    ]
    if len(own) < len(recent):
        asked = [boot for boot in recent if boot.what]
        told.append(
            Evidence(what=f"{len(asked)} more were asked for and do not count.", value=len(asked), sequences=sequences(asked))
        )
    if point.firmware_version is not None:
        told.append(Evidence(what=f"Its firmware is {point.firmware_version}.", sequences=(point.firmware_sequence,)))
    return view.found(
        "reboot_loop",
        None,
        began_at=own[0].at,
        score=sureness(len(own)),
        summary=f"{counted(len(own), 'reboot')} within {window} that nobody asked for",
        evidence=told,
    )


def connection_flapping(view: View) -> Finding | None:
    """Connections that ended without a reboot."""
    settings, point = view.settings, view.point
    if len(point.closes) < settings.flapping_count:
        return None
    ends = since(point.closes, view.now, settings.flapping_window_s)
    boots = since(point.boots, view.now, settings.flapping_window_s)
    flaps = len(ends) - len(boots)
    if flaps < settings.flapping_count:
        return None
    window = lasting(settings.flapping_window_s)
    how = ", ".join(f"{what} {times}" for what, times in sorted(Counter(end.what for end in ends).items()))
    details = Counter(end.detail for end in ends if end.detail).most_common(1)
    most = f'; most often "{details[0][0]}"' if details else ""
    return view.found(
        "connection_flapping",
        None,
        began_at=ends[0].at,
        score=sureness(flaps),
        summary=f"the connection broke {flaps} times within {window}",
        evidence=[
            Evidence(
                what=f"{counted(len(ends), 'connection')} ended in {window} ({how}{most}); {counted(len(boots), 'boot')} followed.",
                value=flaps,
                unit="connections",
                expected=settings.flapping_count,
                sequences=sequences(ends),
            )
        ],
    )
