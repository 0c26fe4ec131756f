"""Names of 2.x variables read back as what they were written from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.device_model import ATTRIBUTES, Variable, parse

parts = st.text(min_size=1, max_size=50)
instances = st.none() | st.text(max_size=50)
places = st.none() | st.tuples(st.integers(0, 99), st.none() | st.integers(0, 9))


@given(parts, parts, instances, instances, places, st.sampled_from(ATTRIBUTES))
def test_every_name_reads_back(
    component: str,
    variable: str,
    component_instance: str | None,
    instance: str | None,
    place: tuple[int, int | None] | None,
    attribute: str,
) -> None:
    """Whatever characters vendors put into names and instances."""
    said = Variable(
        component=component,
        variable=variable,
        component_instance=component_instance,
        instance=instance,
        evse_id=None if place is None else place[0],
        connector_id=None if place is None else place[1],
        attribute=attribute,
    )
    assert parse(said.name) == said


@pytest.mark.parametrize("name", ["", "A", "A.", ".B", "A[x].B", "A.B#Nominal", "A.B[c", "A[1.2.3].B", "A.B.C", "A[1]B.C"])
def test_what_names_nothing_is_refused(name: str) -> None:
    """The sentence shows how a name is written."""
    with pytest.raises(ValueError, match="write Component"):
        parse(name)
