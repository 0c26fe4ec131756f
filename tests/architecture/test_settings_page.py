"""docs/settings.md is the settings: every key, with its real type, default and variable, and no key that is gone."""

from __future__ import annotations

import re
from pathlib import Path

from chargenet.settings import KEYS, Settings, load, shown, value_of, variable
from chargenet.settings.convert import expectation

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text("utf-8")
ROW = re.compile(r"^\| `([a-z_.0-9]+)` \| (.+?) \| (.+?) \| `(CHARGEWATCH_\w+)` \| (.+?) \|$", re.MULTILINE)


def test_every_setting_is_documented_and_none_is_stale() -> None:
    """The table has each key once, in the order of the sections."""
    assert [row[0] for row in ROW.findall(PAGE)] == list(KEYS)


def test_types_defaults_and_variables_are_the_real_ones() -> None:
    """What the page says of a key is what the code does with it."""
    for key, kind, default, name, meaning in ROW.findall(PAGE):
        real = shown(value_of(Settings(), key))
        assert kind == expectation(KEYS[key]), key
        assert default == ("none" if real == "-" else f"`{real}`"), key
        assert name == variable(key) and len(meaning) > 10, key


def test_the_example_loads(tmp_path: Path) -> None:
    """The example file on the page is taken, once its secret file is there."""
    example = PAGE.split("```toml\n")[1].split("```")[0]
    (tmp_path / "token").write_text("t")
    file = tmp_path / "chargewatch.toml"
    file.write_text(example.replace("/run/secrets/influx-token", str(tmp_path / "token")))
    assert load(file, {}).collector.security_profile == 1


def test_every_setting_is_used() -> None:
    """A setting that nothing reads would be a promise that nobody keeps."""
    folders = ("chargenet", "collector", "chargewatch")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "settings" not in path.parts]
    code = "\n".join(path.read_text("utf-8") for path in sources)
    read_while_loading = {"key_file", "sql.password_file", "influx.token_file", "http.public_url"}
    read_while_loading |= {"http.probe_token_file", "alerts.alertmanager_token_file"}
    read_while_loading |= {"billing.payments.stripe_key_file", "billing.payments.webhook_secret_file"}
    read_while_loading |= {"programs.alerts_url", "programs.firmware_url", "programs.billing_url"}  # by ProgramSettings.apart
    unused = [key for key in KEYS if not re.search(rf"\.{key.rpartition('.')[2]}\b", code)]
    assert set(unused) <= read_while_loading
