"""Images of simulated firmware: what is written is read, and anything else is a good image."""

from __future__ import annotations

import pytest

from simulator.image import HEAD_BYTES, Image, Troubles, make_image, read_image
from simulator.layout import layout
from simulator.scenario import Model, Scenario, Site, Updates


def test_an_image_is_read_as_it_was_made() -> None:
    """Version and troubles come back from the beginning of an image of any size."""
    troubles = Troubles(faults_per_day=40.5, offline_per_day=3, offline_s=60, failed_sessions=0.25)
    for size in (0, 500, 100_000):
        image = make_image("2.1.0-rc1", troubles, size)
        assert len(image) >= size
        assert read_image("http://host/f/token", image[:HEAD_BYTES], "1.0.0") == Image("2.1.0-rc1", troubles)


@pytest.mark.parametrize(
    ("location", "head", "version"),
    [
        ("http://host/eve-2.0.7.bin", b"\x00\x01", "2.0.7"),
        ("http://host/f/token", b"anything", "1.0.1"),
        ("http://host/f/token", b"firmware 3.0\nfailed_sessions 7\n", "3.0"),
        ("http://host/f/token", b"firmware 3.0\nunheard_of 7\n", "3.0"),
    ],
)
def test_what_is_no_image_of_ours_is_a_good_one(location: str, head: bytes, version: str) -> None:
    """The version is that of the first line, of the name, or the next one; troubles that make no sense are none."""
    assert read_image(location, head, "1.0.0") == Image(version)


def test_a_version_that_no_image_can_have_is_refused() -> None:
    """A space would end it."""
    with pytest.raises(ValueError, match="no version"):
        make_image("2 0", Troubles())


def test_conducts_are_dealt_out_by_the_seed_and_change_nothing_else() -> None:
    """As many as asked for, the same for the same seed, and the same charge points as without them."""
    sites, models = (Site(name="A"),), (Model(vendor="Alfen", name="Eve"),)
    odd = Scenario(charge_points=20, sites=sites, models=models, updates=Updates(lying=2, reverting=1, lost=1))
    plans = layout(odd, 7)
    assert sorted(plan.conduct for plan in plans if plan.conduct) == ["lost", "lying", "lying", "reverting"]
    assert plans == layout(odd, 7)
    plain = layout(Scenario(charge_points=20, sites=sites, models=models), 7)
    assert [plan.serial_number for plan in plans] == [plan.serial_number for plan in plain]
