"""Scenario files: what they mean, and the sentence that a wrong one gets."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from chargenet.errors import SettingsError
from simulator.layout import layout
from simulator.scenario import Model, Oddities, Outage, Scenario, Site, Updates, demo, parse, read

SMALL = """
name = "small"
charge_points = 10
sites = [{name = "A", weight = 3}, {name = "B", outages = [{after_s = 10, for_s = 5}]}]
models = [
    {vendor = "V", name = "M", connectors = 2, weight = 4},
    {vendor = "V", name = "N", protocol = "ocpp2.1", current = "DC", power_kw = 150},
]
[oddities]
silent = 2
"""


def test_a_file_is_read_with_defaults(tmp_path: Path) -> None:
    """What a file leaves out has its default; what it says is taken."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    scenario = read(path)
    assert (scenario.charge_points, scenario.prefix, scenario.oddities) == (10, "SIM", Oddities(silent=2))
    assert scenario.models[1].protocol == "ocpp2.1"
    assert scenario.sites[1].outages[0].for_s == 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("charge_points = 10", "charge_points = 0"), "small.toml: charge_points: Expected `int` >= 1"),
        (("weight = 3", "weight = -3"), "small.toml: sites[0].weight: Expected `float` >= 0.0"),
        (("power_kw = 150", "power = 150"), "small.toml: models[1]: Object contains unknown field `power`"),
        (('"ocpp2.1"', '"ocpp9"'), "small.toml: models[1].protocol: Invalid enum value 'ocpp9'"),
        (('name = "small"', 'name = "small'), "small.toml: is not TOML: Illegal character '\\n' (at line 2, column 14)"),
        (("weight = 4},", "weight = 0},\n#"), None),
        (("sites = [", "sites = []\n#"), "small.toml: sites: Expected `array` of length >= 1"),
    ],
)
def test_a_mistake_is_named(change: tuple[str, str], sentence: str | None) -> None:
    """A wrong file is refused with the key and what is wrong with it."""
    text = SMALL.replace(*change)
    assert text != SMALL
    if sentence is None:
        assert parse(text, "small.toml").models[0].weight == 0
        return
    with pytest.raises(SettingsError) as refused:
        parse(text, "small.toml")
    assert str(refused.value) == sentence


def test_all_weights_zero_is_a_mistake() -> None:
    """A network whose charge points could stand nowhere is refused."""
    with pytest.raises(SettingsError, match="sites: at least one weight"):
        parse(SMALL.replace("weight = 3", "weight = 0").replace('name = "B"', 'name = "B", weight = 0'), "small.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file is the operator's error, with its path."""
    with pytest.raises(SettingsError, match=r"nothing\.toml: No such file"):
        read(tmp_path / "nothing.toml")


def test_the_same_seed_is_the_same_network() -> None:
    """Layout is a function of scenario and seed; another seed gives another."""
    scenario = demo(60)
    assert layout(scenario, 1) == layout(scenario, 1)
    assert layout(scenario, 1) != layout(scenario, 2)


def test_weights_and_oddities_are_kept() -> None:
    """Models and sites come in proportion to their weights, and exactly as many charge points are odd as asked."""
    plans = layout(parse(SMALL, "small.toml"), 5)
    assert Counter(plan.model.name for plan in plans) == {"M": 8, "N": 2}
    assert Counter(plan.site.name for plan in plans) in ({"A": 8, "B": 2}, {"A": 7, "B": 3})
    assert Counter(plan.oddity for plan in plans) == {"silent": 2, "": 8}
    assert len({plan.charge_point_id for plan in plans}) == 10


def test_the_demo_has_everything_from_sixteen_charge_points_on() -> None:
    """The built-in network has all protocols, AC and DC, and each oddity."""
    plans = layout(demo(16), 3)
    assert {plan.model.protocol for plan in plans} == {"ocpp1.6", "ocpp2.0.1", "ocpp2.1"}
    assert {plan.model.current for plan in plans} == {"AC", "DC"}
    assert {plan.oddity for plan in plans} == {"", "flapping", "silent", "drifting", "backlog"}
    assert any(plan.site.outages for plan in plans)


def test_a_tiny_demo_is_possible() -> None:
    """One charge point is a network."""
    assert len(layout(demo(1), 1)) == 1


def test_the_documented_scenario_is_one_and_names_every_key() -> None:
    """The example of docs/scenarios.md can be read, and it shows every key that there is."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "scenarios.md").read_text()
    example = page.split("```toml\n")[1].split("```")[0]
    parse(example, "docs/scenarios.md")
    for part in (Scenario, Site, Model, Outage, Oddities, Updates):
        for key in part.__struct_fields__:
            assert re.search(rf"(^|[\s{{\[]){key}( =|\]\])", example, re.M) or f"[{key}]" in example, f"{part.__name__}.{key}"
