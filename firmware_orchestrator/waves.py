"""Who is updated when: a seeded random order of the fleet, stratified, cut into waves. Pure.

Decided here: the order is random inside each stratum and even across strata, so that every prefix looks like the whole; at most one
canary stands at a site, because a whole-site outage would look like a bad firmware; the tail is the holdout, never updated by this
rollout, which stays the control until the end. Randomness is a hash of seed and identity: the same seed gives the same order
whatever the order of the input, and a charge point that joins or leaves moves nobody within a stratum.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence

import msgspec


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A charge point to be placed. `stratum`: model, hardware, version, connectivity, use. `comparable`: fit to be canary or
    control (mostly online, no open fault)."""

    charge_point_id: str
    site_id: str | None
    stratum: tuple[str, ...] = ()
    comparable: bool = True


class Size(msgspec.Struct, frozen=True):
    """How many: a count, a share (0…1) of all candidates, or with neither all that remain."""

    count: int | None = None
    share: float | None = None

    def of(self, total: int) -> int | None:
        """Charge points; None for the rest. A share is rounded up, so that it never means nobody."""
        if self.count is not None:
            return self.count
        return None if self.share is None else math.ceil(round(self.share * total, 6))


class Assignment(msgspec.Struct, frozen=True):
    """Everybody in exactly one place, each in drawn order. `waves[0]` is the canary."""

    waves: tuple[tuple[str, ...], ...]
    holdout: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What could not be had as wanted, as sentences."""


def order(candidates: Sequence[Candidate], seed: int) -> list[Candidate]:
    """The permutation: position i of n in a stratum sorts at (i + u) / n, with one u per stratum."""
    strata: dict[tuple[str, ...], list[Candidate]] = defaultdict(list)
    for each in candidates:
        strata[each.stratum].append(each)
    keyed: list[tuple[float, bytes, Candidate]] = []
    for stratum, members in strata.items():
        shift = int.from_bytes(_draw(seed, "stratum", *stratum)[:6], "big") / (1 << 48)
        drawn = sorted((_draw(seed, "charge point", each.charge_point_id), each.charge_point_id, each) for each in members)
        keyed += [((place + shift) / len(drawn), hash_, each) for place, (hash_, _, each) in enumerate(drawn)]
    return [each for _, _, each in sorted(keyed, key=lambda item: (item[0], item[1], item[2].charge_point_id))]


def assign(candidates: Sequence[Candidate], sizes: Sequence[Size], holdout: Size, seed: int) -> Assignment:
    """Holdout from the tail, canary from the front, the others in order. Empty waves are left out; a canary is there.

    Raises ValueError when a charge point is given twice, when the last size does not take the rest, or when the first one does.
    """
    if len({each.charge_point_id for each in candidates}) != len(candidates):
        raise ValueError("a charge point is there twice")
    total = len(candidates)
    size = sizes[0].of(total) if sizes else None
    if size is None or sizes[-1].of(total) is not None:
        raise ValueError("the canary must have a size, and the last wave must take all that remain")
    drawn, notes = order(candidates, seed), []
    wanted = holdout.of(total) or 0
    kept = _last_comparable(drawn, wanted)
    if len(kept) < wanted:
        notes.append(f"the holdout has {len(kept)} charge points instead of {wanted}: no others can be compared")
    rest = [each for each in drawn if each not in kept]
    canary = _canary(rest, size)
    if not canary and rest:
        canary = _canary(rest, size, troubled=True)
        notes.append("nobody is mostly online and without an open fault: the canary has troubles of its own, and proves less")
    if len(canary) < min(size, total):
        notes.append(
            f"the canary has {len(canary)} charge points instead of {size}: "
            "one per site, mostly online and without an open fault, are not more"
        )
    first = set(canary)
    waves = [canary, *_cut([each for each in rest if each not in first], sizes[1:], total)]
    names = [tuple(each.charge_point_id for each in wave) for wave in waves]
    return Assignment(
        tuple(wave for number, wave in enumerate(names) if wave or number == 0),
        tuple(each.charge_point_id for each in drawn if each in kept),
        tuple(notes),
    )


def _draw(seed: int, *words: str) -> bytes:
    return hashlib.sha256("\x1f".join((str(seed), *words)).encode()).digest()


def _last_comparable(drawn: Sequence[Candidate], wanted: int) -> set[Candidate]:
    kept: set[Candidate] = set()
    for each in reversed(drawn):
        if len(kept) == wanted:
            break
        if each.comparable:
            kept.add(each)
    return kept


def _canary(rest: Sequence[Candidate], wanted: int, *, troubled: bool = False) -> list[Candidate]:
    """A charge point without a site counts as a site of its own. `troubled`: those that are not comparable may be in it too."""
    sites, canary = set[str](), list[Candidate]()
    for each in rest:
        if len(canary) == wanted:
            break
        if (each.comparable or troubled) and (each.site_id is None or each.site_id not in sites):
            canary.append(each)
            sites.add(each.site_id or "")
    return canary


def _cut(rest: Sequence[Candidate], sizes: Sequence[Size], total: int) -> list[list[Candidate]]:
    waves, at = [], 0
    for size in sizes:
        count = size.of(total)
        until = len(rest) if count is None else min(len(rest), at + count)
        waves.append(list(rest[at:until]))
        at = until
    return waves
