"""`chargewatch run` says what it lacks before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargenet.errors import SettingsError
from chargenet.settings import load
from chargewatch.cli.up import check_apart

WHOLE = {
    "programs.collector_url": "http://127.0.0.1:8081",
    "programs.token": "a-token-of-twenty-letters",
    "sql.url": "postgresql+psycopg://x@127.0.0.1/x",
}


@pytest.mark.parametrize("lacking", WHOLE)
def test_each_setting_that_is_missing_is_named(lacking: str) -> None:
    """With the file that should have it, and the key."""
    settings = load(None, {}, {key: value for key, value in WHOLE.items() if key != lacking})
    with pytest.raises(SettingsError, match=f"chargewatch.toml: {lacking}: is not set") as raised:
        check_apart(settings, str(Path("chargewatch.toml")))
    assert WHOLE["programs.token"] not in str(raised.value)


def test_all_of_them_are_enough() -> None:
    """Nothing is said."""
    check_apart(load(None, {}, WHOLE), "settings")
