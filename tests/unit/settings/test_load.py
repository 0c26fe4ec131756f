"""Where settings come from, which source wins, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargenet.errors import SettingsError
from chargenet.settings import KEYS, Address, Secret, Settings, load, load_with_sources, shown, variable
from chargenet.settings.convert import parse_size


def write(folder: Path, text: str) -> Path:
    file = folder / "chargewatch.toml"
    file.write_text(text)
    return file


def test_nothing_given_is_the_defaults() -> None:
    """No file, no variable, no flag: exactly `Settings()`."""
    assert load(None, {}) == Settings()


def test_the_strongest_source_wins(tmp_path: Path) -> None:
    """Command line over variable over file over default, and each value knows its source."""
    file = write(tmp_path, '[collector]\nocpp = "127.0.0.1:1"\njitter = 0.2\nping_interval_s = 7\n')
    variables = {"CHARGEWATCH_COLLECTOR_OCPP": "127.0.0.1:2", "CHARGEWATCH_COLLECTOR_JITTER": "0.3"}
    loaded = load_with_sources(file, variables, {"collector.ocpp": "127.0.0.1:3", "http.listen": None})
    chosen = loaded.settings.collector
    assert (chosen.ocpp, chosen.jitter, chosen.ping_interval_s) == ("127.0.0.1:3", 0.3, 7.0)
    sources = {key: source for key, _, source in loaded.rows()}
    keys = ("collector.ocpp", "collector.jitter", "collector.ping_interval_s", "http.listen")
    assert [sources[key] for key in keys] == ["command line", "CHARGEWATCH_COLLECTOR_JITTER", str(file), "default"]


def test_every_key_can_be_a_variable() -> None:
    """Each key has its own variable, and the text of its default is read back as the default."""
    assert len({variable(key) for key in KEYS}) == len(KEYS)
    text = {variable(key): value for key, value, _ in load_with_sources(None, {}).rows() if value != "-"}
    assert load(None, text) == Settings()


def test_the_file_can_be_named_by_a_variable(tmp_path: Path) -> None:
    """CHARGEWATCH_CONFIG names the file; --config beats it."""
    file = write(tmp_path, 'data_dir = "/srv/one"\n')
    assert load(None, {"CHARGEWATCH_CONFIG": str(file)}).data_dir == Path("/srv/one")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "none.toml", {"CHARGEWATCH_CONFIG": str(file)})


def test_variables_of_others_are_none_of_our_business() -> None:
    """Only CHARGEWATCH_* variables are looked at."""
    assert load(None, {"PATH": "/bin", "CHARGE": "x"}) == Settings()


@pytest.mark.parametrize(
    ("address", "policy", "probes"), [("127.0.0.1:1", "accept", True), ("[::1]:1", "accept", True), ("0.0.0.0:1", "reject", False)]
)
def test_what_others_reach_is_closed_by_default(address: str, policy: str, probes: bool) -> None:
    """Unknown charge points are accepted, and probes open, on loopback only; a setting of its own always wins."""
    loaded = load(None, {}, {"collector.ocpp": address, "http.listen": address})
    assert (loaded.collector.unknown_charge_points, loaded.http.open_probes) == (policy, probes)
    assert load(None, {}, {"programs.listen": address}).http.open_probes is probes
    own = load(None, {}, {"collector.ocpp": address, "collector.unknown_charge_points": "pending"})
    assert own.collector.unknown_charge_points == "pending"


def test_secrets_come_from_files_and_never_show(tmp_path: Path) -> None:
    """A *_file is read and stripped; neither repr, str nor the rows have the secret, nor a password inside a URL."""
    (tmp_path / "token").write_text("s3cret-token\n")
    url = "postgresql+psycopg://cw:s3cret-pass@db/cw"
    given = {"influx.url": "http://i:8086", "influx.token_file": tmp_path / "token", "key": "s3cret-key", "sql.url": url}
    loaded = load_with_sources(None, {}, given)
    assert loaded.settings.influx.token == Secret("s3cret-token")
    assert "s3cret" not in "".join(value for _, value, _ in loaded.rows())
    assert "s3cret-token" not in repr(loaded) + str(loaded.settings.influx) and "s3cret-key" not in repr(loaded)
    assert shown(url) == "postgresql+psycopg://cw:(hidden)@db/cw"


@pytest.mark.parametrize(("text", "size"), [("65536", 65536), ("64 KiB", 65536), ("1.5GiB", 3 << 29), ("2 TiB", 2 << 40)])
def test_sizes_read_as_people_write_them(text: str, size: int) -> None:
    """Plain numbers are bytes, binary units are understood."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "9000", ":9000", "host:", "host:65536", "host:-1", "host:９", "::1:9000", "[::1]", "host:port"]
)
def test_what_is_no_address(text: str) -> None:
    """Host and port are both needed; IPv6 hosts need brackets."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        Address(text)


def test_addresses_take_themselves_apart() -> None:
    """Host without brackets, port as a number, loopback by address and by name."""
    assert [(Address(text).host, Address(text).port) for text in ("[::1]:9000", "a.example:0")] == [("::1", 9000), ("a.example", 0)]
    loopback = ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"]
    assert all(Address(text).is_loopback for text in loopback) and not Address("0.0.0.0:1").is_loopback


def test_upload_urls_follow_where_we_really_listen() -> None:
    """public_url wins; else the bound port; https with a certificate; a wildcard becomes the machine's name."""
    listening = load(None, {}, {"http.listen": "127.0.0.1:0"}).http
    assert listening.upload_base(Address("127.0.0.1:4711")) == "http://127.0.0.1:4711"
    assert load(None, {}, {"http.public_url": "https://x.example/"}).http.upload_base() == "https://x.example"
    assert "0.0.0.0" not in load(None, {}, {"http.listen": "0.0.0.0:80"}).http.upload_base()
