"""The key of signed links: made once, whole from the first moment, for its owner only, by however many processes ask at once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from alerts.links import KEY_BYTES
from chargenet.errors import SettingsError
from chargewatch.relaying import load_link_key

ASKERS = 8


def test_all_who_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    """However many make one at the same moment: none sees half a file, the first one stays, and nothing is left beside it."""
    for number in range(20):
        path, together = tmp_path / f"{number}.key", Barrier(ASKERS)

        def ask(_: int, path: Path = path, together: Barrier = together) -> bytes:
            together.wait()
            return load_link_key(path)

        with ThreadPoolExecutor(ASKERS) as pool:
            keys = set(pool.map(ask, range(ASKERS)))
        assert keys == {path.read_bytes()}
        assert {len(key) for key in keys} == {KEY_BYTES}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 20


def test_a_key_is_kept(tmp_path: Path) -> None:
    """The next start reads the one that is there, so that links in messages stay good."""
    assert load_link_key(tmp_path / "links.key") == load_link_key(tmp_path / "links.key")


def test_a_key_that_others_may_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    path = tmp_path / "links.key"
    load_link_key(path)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_link_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(SettingsError, match="remove it, and a new one is made"):
        load_link_key(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Instead of a traceback."""
    with pytest.raises(SettingsError, match="cannot be made"):
        load_link_key(tmp_path / "nowhere" / "links.key")
