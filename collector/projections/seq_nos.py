"""OCPP 2.x seqNos as ranges in text ("0-17,19"). Decided here: how gaps are told from what is merely not yet here."""

from __future__ import annotations

MAX_RANGES = 64
"""Above it the two oldest ranges are joined: a charge point that skips every other number must not grow a row without end."""


def add(ranges: str, seq_no: int) -> str:
    """`ranges` with `seq_no` in it."""
    spans = _parse(ranges)
    if spans and seq_no == spans[-1][1] + 1:  # nearly always
        spans[-1] = (spans[-1][0], seq_no)
        return _format(spans)
    if any(first <= seq_no <= last for first, last in spans):
        return ranges
    merged: list[tuple[int, int]] = []
    for first, last in sorted([*spans, (seq_no, seq_no)]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    if len(merged) > MAX_RANGES:
        merged[:2] = [(merged[0][0], merged[1][1])]
    return _format(merged)


def contains(ranges: str, seq_no: int) -> bool:
    """Was it seen?"""
    return any(first <= seq_no <= last for first, last in _parse(ranges))


def highest(ranges: str) -> int | None:
    """The highest seen."""
    return _parse(ranges)[-1][1] if ranges else None


def has_gap(ranges: str) -> bool:
    """Is one missing between the lowest and the highest seen?"""
    return "," in ranges


def _parse(ranges: str) -> list[tuple[int, int]]:
    spans = []
    for part in ranges.split(",") if ranges else ():
        first, _, last = part.partition("-")
        spans.append((int(first), int(last or first)))
    return spans


def _format(spans: list[tuple[int, int]]) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
