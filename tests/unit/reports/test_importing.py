"""Import: which rows are used, which are not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing_reports.import_map import read_map
from billing_reports.importing import ImportedSession, Reject, connectors_of, read_sessions
from chargenet.errors import InvalidFile
from chargenet.model.ids import IdToken

MAP = b"""
source = "here"
[time]
zone = "Europe/Oslo"
[columns]
charge_point = "cp"
connector = "plug"
began = "from"
ended = "to"
energy = "kWh"
user = "who"
revenue = "paid"
[constants]
currency = "NOK"
[rated_kw]
"X" = 22
"""
HEADER = "cp,plug,from,to,kWh,who,paid"


def read(rows: Sequence[str], more: bytes = b"") -> list[ImportedSession | Reject]:
    """Rows under HEADER."""
    return list(read_sessions([HEADER, *rows], read_map(MAP + more, "map.toml"), "file.csv"))


def test_a_row_becomes_a_session() -> None:
    """Local time to UTC, kWh to Wh, the token to its hash, the amount to a decimal."""
    [made] = read(["CP-1,2,2026-01-05 08:00:00,2026-01-05 09:30:00,12.3456,T1,45.50"])
    assert isinstance(made, ImportedSession)
    assert (made.charge_point_id, made.connector, made.energy_wh) == ("CP-1", "2", 12_346)
    assert (made.began_at, made.ended_at) == (datetime(2026, 1, 5, 7, tzinfo=UTC), datetime(2026, 1, 5, 8, 30, tzinfo=UTC))
    assert (made.revenue, made.currency, made.user) == (Decimal("45.50"), "NOK", IdToken("T1").hashed)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("CP-1,1,2026-01-05 08:00:00,,1,,", "ended is missing"),
        ("CP-1,1,2026-01-05 08:00:00,2026-01-05 07:00:00,1,,", "ends before it begins"),
        ("CP-1,1,5/1/2026 8:00,2026-01-05 07:00:00,1,,", "began: '5/1/2026 8:00' is no time of the form iso"),
        ("CP-1,1,2026-01-05 08:00:00,2026-01-05 09:00:00,much,,", "energy: 'much' is no number"),
        ("CP-1,1,2026-01-05 08:00:00,2026-01-05 09:00:00,NaN,,", "energy: 'NaN' is no number that means anything"),
        ("CP-1,1,2026-01-05 08:00:00,2026-01-05 09:00:00,-1,,", "energy is negative"),
        ("CP-1,left,2026-01-05 08:00:00,2026-01-05 09:00:00,1,,", "connector: 'left' is none; it is a number, or EVSE.connector"),
        ("CP-1,1,2026-01-05 08:00:00", "has 3 of 7 columns"),
    ],
)
def test_what_cannot_be_used_is_named(row: str, reason: str) -> None:
    """Line and reason; the rows around it are used."""
    good = "CP-1,1,2026-01-05 08:00:00,2026-01-05 09:00:00,1,,"
    made = read([good, row, good])
    assert made[1] == Reject(3, reason)
    assert [type(each) for each in made] == [ImportedSession, Reject, ImportedSession]


def test_the_same_file_gives_the_same_sessions() -> None:
    """Rows without an id get one from their content; two equal rows are two sessions, at every import the same two."""
    row = "CP-1,1,2026-01-05 08:00:00,2026-01-05 09:00:00,1,,"
    first, again = read([row, row]), read([row, row])
    assert first == again
    assert len({each.session_id for each in first if isinstance(each, ImportedSession)}) == 2


def test_the_repeated_hour() -> None:
    """02:30 to 02:10 on the night of the change is forty minutes."""
    [made] = read(["CP-1,1,2026-10-25 02:30:00,2026-10-25 02:10:00,1,,"])
    assert isinstance(made, ImportedSession)
    assert made.plugged_s == 40 * 60


def test_decimal_commas() -> None:
    """A point among them is rejected: it could be either."""
    more = b'\n[file]\ndecimal = ","\ndelimiter = ";"\n'
    rows = [
        "cp;plug;from;to;kWh;who;paid",
        "A;1;2026-01-05 08:00;2026-01-05 09:00;1,5;;",
        "A;1;2026-01-05 08:00;2026-01-05 09:00;1.5;;",
    ]
    good, bad = read_sessions(rows, read_map(MAP + more, "m"), "f")
    assert isinstance(good, ImportedSession)
    assert good.energy_wh == 1500
    assert bad == Reject(3, "energy: '1.5' has a point, and the map says that decimals have a comma")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"x", "map.toml: Expected '=' after a key in a key/value pair (at end of document)"),
        (b"[columns]\n", "map.toml: source: is missing"),
        (b'source = "a"\n', "map.toml: columns: is missing"),
        (b'source = "a"\n[columns]\ncharge_point = "a"\nended = "a"\nenergy = "a"\n', "map.toml: columns.began: is missing"),
        (MAP + b'[units]\nenergy = "J"\n', "map.toml: units.energy: is kWh or Wh or MWh, not 'J'"),
        (MAP + b'[units]\nenrgy = "J"\n', "map.toml: units.enrgy: is not known; there are energy, charging"),
        (MAP.replace(b"Europe/Oslo", b"Oslo"), "map.toml: time.zone: 'Oslo' is no IANA time zone"),
        (MAP.replace(b'"X" = 22', b'"X" = -1'), "map.toml: rated_kw.X: -1.0 kW is no power"),
    ],
)
def test_mistakes_in_a_map_are_named(content: bytes, sentence: str) -> None:
    """File, key, and what is wrong."""
    with pytest.raises(InvalidFile) as error:
        read_map(content, "map.toml")
    assert str(error.value) == sentence


def test_a_file_without_the_columns() -> None:
    """Nothing is read by position."""
    with pytest.raises(InvalidFile, match=r"file.csv: line 1: there is no column 'plug'; the columns are a, b"):
        list(read_sessions(["a,b"], read_map(MAP.replace(b'"cp"', b'"a"'), "map.toml"), "file.csv"))
    with pytest.raises(InvalidFile, match=r"file.csv: is empty"):
        list(read_sessions([], read_map(MAP, "map.toml"), "file.csv"))


def test_connectors_are_those_that_were_used() -> None:
    """Open from their first session on."""
    made = read(["A,1,2026-01-05 08:00,2026-01-05 09:00,1,,", "A,2,2026-01-06 08:00,2026-01-06 09:00,1,,"])
    sessions = [each for each in made if isinstance(each, ImportedSession)]
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert [(each.name, each.open_from.day, each.open_until) for each in connectors_of(sessions, start, end)] == [
        ("A/1", 5, end),
        ("A/2", 6, end),
    ]
