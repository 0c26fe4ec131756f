"""The charge point's clock. Decided here: when it is wrong rather than its reports late."""

from __future__ import annotations

from alerts.detectors.rules.view import View, counted, lasting, sureness
from alerts.finding import Evidence, Finding
from alerts.signals.marks import ClockSample, sequences


def drift(view: View) -> Finding | None:
    """The last reports are all off to the same side, by about the same."""
    settings, wrong = view.settings, _run(view)
    if len(wrong) < settings.clock_count or (wrong[-1].at - wrong[0].at).total_seconds() < settings.clock_span_s:
        return None
    offsets = [each.offset_s for each in wrong]
    if max(offsets) - min(offsets) > settings.clock_spread_s:
        return None
    offset_s = max(offsets)
    side = "ahead" if offset_s > 0 else "behind"
    shown = wrong[-1]
    return view.found(
        "clock_drift",
        None,
        began_at=wrong[0].at,
        score=sureness(len(wrong)),
        summary=f"its clock is {lasting(abs(offset_s))} {side}",
        evidence=[
            Evidence(
                what=f"{counted(len(wrong), 'report')} in a row since {view.when(wrong[0].at)} bear an instant that is "
                f"{lasting(abs(shown.offset_s))} {side} of ours.",
                value=round(offset_s),
                unit="s",
                expected=0.0,
                sequences=sequences(wrong),
            )
        ],
    )


def _run(view: View) -> list[ClockSample]:
    """The latest samples that are off to the same side."""
    limit_s, run = view.settings.clock_offset_s, list[ClockSample]()
    for each in reversed(view.point.clock):
        if abs(each.offset_s) <= limit_s or (run and (each.offset_s > 0) != (run[-1].offset_s > 0)):
            break
        run.append(each)
    return run[::-1]
