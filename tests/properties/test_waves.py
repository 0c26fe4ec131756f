"""Waves: everybody in exactly one place, the same every time, each prefix like the whole."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_orchestrator.waves import Candidate, Size, assign, order

candidates = st.lists(
    st.builds(
        lambda name, site, stratum, fit: Candidate(
            charge_point_id=f"cp-{name}", site_id=site and f"s{site}", stratum=(stratum,), comparable=fit
        ),
        st.integers(0, 10_000),
        st.one_of(st.none(), st.integers(1, 20)),
        st.sampled_from("abc"),
        st.booleans(),
    ),
    max_size=120,
    unique_by=lambda each: each.charge_point_id,
)
sizes = st.lists(st.integers(1, 40).map(Size), min_size=1, max_size=4).map(lambda given: [*given, Size()])
seeds = st.integers(0, 1 << 40)


@settings(max_examples=150, deadline=None)
@given(fleet=candidates, cut=sizes, kept=st.integers(0, 30), seed=seeds)
def test_each_charge_point_has_exactly_one_place(fleet: list[Candidate], cut: list[Size], kept: int, seed: int) -> None:
    """In one wave or in the holdout, never in two, never in none; no wave but the canary is empty or larger than asked."""
    made = assign(fleet, cut, Size(kept), seed)
    placed = [name for wave in made.waves for name in wave] + list(made.holdout)
    assert sorted(placed) == sorted(each.charge_point_id for each in fleet)
    assert len(made.holdout) <= kept and len(made.waves[0]) <= (cut[0].count or 0)
    assert all(made.waves[1:])


@settings(max_examples=100, deadline=None)
@given(fleet=candidates, cut=sizes, seed=seeds)
def test_the_canary_has_one_charge_point_of_a_site(fleet: list[Candidate], cut: list[Size], seed: int) -> None:
    """And only such as can be compared, where there are any; so has the holdout."""
    known = {each.charge_point_id: each for each in fleet}
    made = assign(fleet, cut, Size(5), seed)
    sites = [known[name].site_id for name in made.waves[0] if known[name].site_id is not None]
    assert len(sites) == len(set(sites))
    assert all(known[name].comparable for name in made.holdout)
    troubled = not any(each.comparable for each in fleet if each.charge_point_id not in made.holdout)
    assert troubled or all(known[name].comparable for name in made.waves[0])
    assert made.waves[0] or not fleet or len(fleet) == len(made.holdout)


@settings(max_examples=100, deadline=None)
@given(fleet=candidates, cut=sizes, seed=seeds, data=st.data())
def test_the_same_seed_draws_the_same(fleet: list[Candidate], cut: list[Size], seed: int, data: st.DataObject) -> None:
    """Whatever the order of the rows."""
    shuffled = data.draw(st.permutations(fleet))
    assert assign(fleet, cut, Size(3), seed) == assign(shuffled, cut, Size(3), seed)


@settings(max_examples=100, deadline=None)
@given(fleet=candidates, seed=seeds, data=st.data())
def test_who_leaves_moves_nobody_of_its_kind(fleet: list[Candidate], seed: int, data: st.DataObject) -> None:
    """Inside a stratum the order of the others stays."""
    gone = data.draw(st.sampled_from(fleet)) if fleet else None
    rest = [each for each in fleet if each is not gone]
    for stratum in {each.stratum for each in rest}:
        before = [each for each in order(fleet, seed) if each.stratum == stratum and each is not gone]
        assert [each for each in order(rest, seed) if each.stratum == stratum] == before


@settings(max_examples=60, deadline=None)
@given(counts=st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60)), seed=seeds, data=st.data())
def test_every_prefix_looks_like_the_whole(counts: tuple[int, ...], seed: int, data: st.DataObject) -> None:
    """Of each stratum a prefix holds its share, but for one and a half charge points."""
    fleet = [
        Candidate(charge_point_id=f"{kind}-{number}", site_id=None, stratum=(kind,))
        for kind, count in zip("abc", counts, strict=True)
        for number in range(count)
    ]
    length = data.draw(st.integers(0, len(fleet)))
    seen = Counter(each.stratum[0] for each in order(fleet, seed)[:length])
    for kind, count in zip("abc", counts, strict=True):
        assert abs(seen[kind] - length * count / len(fleet)) <= 2.5


def test_another_seed_draws_another_order() -> None:
    """A hundred charge points in the same order twice would be no draw."""
    fleet = [Candidate(charge_point_id=f"cp-{number}", site_id=None) for number in range(100)]
    assert order(fleet, 1) != order(fleet, 2)


def test_everybody_is_first_about_equally_often() -> None:
    """Over 4,000 seeds, each of ten charge points is the first one 400 times, within four standard deviations (19)."""
    fleet = [Candidate(charge_point_id=f"cp-{number}", site_id=None) for number in range(10)]
    first = Counter(order(fleet, seed)[0].charge_point_id for seed in range(4000))
    assert all(abs(count - 400) < 4 * 19 for count in first.values()) and len(first) == 10
