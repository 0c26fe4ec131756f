"""Built boards: committed ones are fresh, and a folder is brought up to date as a whole."""

from __future__ import annotations

import json
from pathlib import Path

from dashboards import uids
from dashboards.boards import BOARDS
from dashboards.build import build, stale, text_of


def test_the_committed_boards_are_fresh() -> None:
    """What Grafana reads is what the code says; `chargewatch dashboards build` writes it anew."""
    assert stale() == []


def test_every_uid_is_a_board_and_every_board_has_its_number() -> None:
    """Links of alerts rest on the uids; people say the numbers."""
    assert {board.uid for board in BOARDS} == {value for name, value in vars(uids).items() if name.isupper()}
    assert [int(board.title.split(" · ")[0]) for board in BOARDS] == list(range(1, 15))


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """No clock, no order of a set, no random id gets in."""
    build(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    build(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert len(before) == len(BOARDS)


def test_a_folder_is_brought_up_to_date(tmp_path: Path) -> None:
    """A board that is no more is removed, a changed one written; files of others stay."""
    (tmp_path / "chargewatch-gone.json").write_text("{}")
    (tmp_path / "theirs.json").write_text("{}")
    assert len(stale(tmp_path)) == len(BOARDS) + 2
    build(tmp_path)
    (tmp_path / "chargewatch-site.json").write_text("{}")
    assert stale(tmp_path) == ["theirs.json is not a board any more", "chargewatch-site.json is not what the boards' code builds"]


def test_a_board_is_the_classic_model_for_files() -> None:
    """Schema 42, read-only, no database id, data sources by variable only."""
    for board in BOARDS:
        made = json.loads(text_of(board))
        assert (made["schemaVersion"], made["editable"], made.get("id")) == (42, False, None)
        assert next(each["query"] for each in made["templating"]["list"] if each["type"] == "datasource") == "prometheus"
        assert board.question.endswith("?")
