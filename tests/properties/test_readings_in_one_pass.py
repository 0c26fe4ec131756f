"""The pass that reads usual layouts of measurements sees what the thorough readings see, in any layout."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import reading
from chargenet.model import measurement as m
from chargenet.model.measurement import Measurement

MEASURANDS = (
    m.ENERGY_REGISTER, m.POWER, m.POWER_OFFERED, m.CURRENT, m.CURRENT_OFFERED, m.VOLTAGE, m.TEMPERATURE, m.SOC, "Frequency",
)  # fmt: skip
values = st.one_of(st.just(0.0), st.floats(-10, 1e6, allow_nan=False))
contexts = st.sampled_from(["Sample.Periodic", "Transaction.Begin"])
usual = st.builds(Measurement, st.sampled_from(MEASURANDS), values, st.just("u"), st.none(), st.just("Outlet"), contexts)
any_place = st.builds(
    Measurement, st.sampled_from(MEASURANDS), values, st.just("u"), st.sampled_from([None, "L1", "L2", "L1-N"]),
    st.sampled_from(["Outlet", "EV", "Inlet", "Body"]), contexts,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(usual, max_size=9), st.lists(any_place, max_size=9), st.lists(usual | any_place, max_size=9)))
def test_one_pass_sees_what_the_thorough_ones_see(measurements: list[Measurement]) -> None:
    """Registers, powers and states of charge as signals and as attempts count them, and the highest temperature."""
    fast, thorough = reading.read(tuple(measurements)), reading._unusual(measurements)
    assert thorough.delivered is not None
    names = ("register_wh", "power_w", "offered_w", "soc_percent")
    assert [getattr(fast, name) for name in (*names, "begins", "temperature_c")] == [
        getattr(thorough, name) for name in (*names, "begins", "temperature_c")
    ]
    delivered = fast.delivered or fast
    assert [getattr(delivered, name) for name in names] == [getattr(thorough.delivered, name) for name in names]


def test_the_same_measurements_are_read_once() -> None:
    """Whoever asks second gets what the first one got; other measurements are read anew."""
    one, other = ((Measurement(m.POWER, watts, "W"),) for watts in (1.0, 2.0))
    first = reading.read(one)
    assert reading.read(one) is first
    assert reading.read(other).power_w == 2.0
