"""The config of the rules: what it takes, how each mistake is said, and that it reaches the rules."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chargenet.errors import SettingsError
from chargewatch.rule_files import rule_files, write_rules
from dashboards.rules import RuleConfig, load_config, parse_config
from dashboards.rules.burn import PAGES, TICKETS
from dashboards.rules.model import duration


def test_a_file_changes_what_it_names_and_nothing_else() -> None:
    """Thresholds, selector and links of one's own; the rest are the defaults."""
    made = parse_config(b"selector = 'env=\"prod\"'\nlag_s = 60\n[success]\ntarget = 0.99\nleast = 50\n", "rules.toml")
    assert (made.selector, made.lag_s, made.success.target, made.usable) == ('env="prod"', 60.0, 0.99, RuleConfig().usable)
    text = "".join(rule_files(made).values())
    assert 'chargewatch_case{env="prod",kind="faulted"}' in text
    assert 'job="chargewatch"' not in text
    assert "over a month, 1.0% are allowed" in text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"lag = 3", "rules.toml: Object contains unknown field `lag`"),
        (b'lag_s = "soon"', r"rules.toml: Expected `float`, got `str` - at `\$.lag_s`"),
        (b"lag_s = 0", "rules.toml: lag_s: is 0.0, expected a number above 0"),
        (b"speed = inf", "rules.toml: speed: is inf, expected a number above 0"),
        (b"lost_share = 5", "rules.toml: lost_share: is 5.0, expected a share between 0 and 1"),
        (b"[usable]\ntarget = 97", "rules.toml: usable.target: is 97.0, expected a share between 0 and 1"),
        (b'runbook_url = "https://wiki/{alert}/{page}"', "rules.toml: knows no {page} in a link"),
        (b"lag_s = ", "rules.toml: Invalid value"),
    ],
)
def test_each_mistake_has_its_sentence(content: bytes, sentence: str) -> None:
    """Which key, and what was expected of it."""
    with pytest.raises(SettingsError, match=sentence):
        parse_config(content, "rules.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(SettingsError, match=r"none\.toml.*cannot be read"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("seconds", "speed", "text"),
    [(90.0, 1.0, "90s"), (3600.0, 1.0, "1h"), (86_400.0, 1.0, "1d"), (60.0, 120.0, "500ms"), (1e-9, 1.0, "1ms")],
)
def test_durations_are_as_prometheus_writes_them(seconds: float, speed: float, text: str) -> None:
    """The largest unit that divides it; never zero."""
    assert duration(RuleConfig(speed=speed), seconds) == text


def test_budgets_burn_as_the_workbook_says() -> None:
    """2 % in an hour is 14.4 times too fast, 5 % in six hours 6 times, 10 % in a day 3 times, in three days once."""
    assert [each.factor for each in (*PAGES, *TICKETS)] == [14.4, 6.0, 3.0, 1.0]
    for each in (*PAGES, *TICKETS):
        assert each.long_s == 12 * each.short_s


def test_files_of_ours_that_are_no_longer_made_are_removed(tmp_path: Path) -> None:
    """An old rule file would alert on; a file of somebody else stays."""
    folder = tmp_path
    (folder / "old.rules.yaml").write_text("groups: []")
    (folder / "theirs.yaml").write_text("groups: []")
    written = write_rules(folder)
    assert {path.name for path in folder.iterdir()} == {*(path.name for path in written), "theirs.yaml"}
    assert all(yaml.safe_load(path.read_text())["groups"] for path in written)
