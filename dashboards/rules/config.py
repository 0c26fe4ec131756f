"""The one config of all rules: thresholds, selectors, where links lead. Decided here: the defaults, and what a config may say.

Durations are in seconds and end in `_s`; shares are 0 to 1. A TOML file may name any of them; what it does not name is the default.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from chargenet.errors import SettingsError

MAX_BYTES = 1 << 16


class Objective(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share of good, over 30 days. `least`: with fewer events than this in a window, nothing is said of it."""

    target: float
    least: float = 0.0

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1 - self.target, 6)


class RuleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a network may want otherwise."""

    runbook_url: str = "http://localhost:8080/runbooks/{alert}"
    """{alert} is replaced by the alert's name."""
    board_url: str = "http://localhost:3000/d/{uid}"
    """{uid} is replaced by the board's; variables are added behind it."""
    selector: str = 'job="chargewatch"'
    """Label matchers of the platform's own series, without braces; "" for none."""
    interval_s: float = 30.0
    """How often rules are evaluated."""
    speed: float = 1.0
    """Above 1 for simulated networks: every duration is divided by it."""

    # cases
    case_for_s: float = 60.0
    """How long a ticket's case waits before Alertmanager hears of it: a wider case may come and explain it. Pages do not."""
    case_keep_firing_s: float = 120.0
    """Bridges missed scrapes and a restart."""

    # states, for the time in which nobody judges
    blind_after_s: float = 180.0
    unjudged_fault_s: float = 300.0
    unjudged_offline_s: float = 600.0
    lost_share: float = 0.05
    """Of all charge points, lost within ten minutes."""
    lost_least: int = 5
    model_faulted_share: float = 0.10
    model_faulted_least: int = 5

    # rollouts
    unattended_s: float = 3600.0
    """A rollout that was halted."""
    held_s: float = 86_400.0

    # bills
    unbilled: int = 20
    """Sessions with one reason."""
    unbilled_s: float = 21_600.0

    # objectives
    success: Objective = Objective(target=0.95, least=20)
    """Charge attempts that gave their driver energy."""
    usable: Objective = Objective(target=0.97)
    """Connectors that can serve a driver: the uptime that public funding asks for (23 CFR 680.116(b))."""

    # the platform
    lag_s: float = 300.0
    """Age of what a read model has not taken in."""
    loop_lag_s: float = 0.5
    fsync_s: float = 0.25
    disk_share: float = 0.05
    """Left."""
    behind_records: int = 50_000
    untold_s: float = 300.0
    undelivered_s: float = 900.0
    call_error_share: float = 0.05
    api_error_share: float = 0.05
    unanswered_share: float = 0.5
    failed_logins: int = 100
    """Within 15 minutes."""
    quarantined: int = 20
    """Within an hour."""
    scrape_share: float = 0.66
    """Of the scrape interval."""
    scrape_interval_s: float = 30.0

    def board(self, uid: str, variables: dict[str, str], since: str = "now-6h") -> str:
        """Link to a board; `variables`: its variable → the label of the alert that fills it."""
        filled = "".join(f"&var-{name}={{{{ $labels.{label} | urlquery }}}}" for name, label in variables.items())
        return f"{self.board_url.format(uid=uid)}?from={since}&to=now{filled}"

    def runbook(self, alert: str) -> str:
        """Link to the alert's runbook."""
        return self.runbook_url.format(alert=alert)


def load_config(path: Path) -> RuleConfig:
    """The config in a TOML file. Blocking. Raises SettingsError with the sentence for the first mistake."""
    try:
        with path.open("rb") as file:
            return parse_config(file.read(MAX_BYTES), path.name)
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be read: {error.strerror}") from error


def parse_config(content: bytes, source: str) -> RuleConfig:
    """The config in a text. Raises SettingsError."""
    try:
        made = msgspec.toml.decode(content, type=RuleConfig)
        _templates(made)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, IndexError, ValueError) as error:
        raise SettingsError(source, "", _sentence(error)) from error
    for key, value in _values(made):
        if isinstance(value, (int, float)) and not 0 < value < float("inf") and not key.endswith("least"):
            raise SettingsError(source, key, f"is {value}, expected a number above 0")
        if key.endswith(("share", "target")) and not 0 < value < 1:
            raise SettingsError(source, key, f"is {value}, expected a share between 0 and 1")
    return made


def _templates(made: RuleConfig) -> None:
    made.board("uid", {})
    made.runbook("Alert")


def _sentence(error: Exception) -> str:
    return f"knows no {{{error.args[0]}}} in a link" if isinstance(error, KeyError) else str(error)


def _values(made: RuleConfig) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in msgspec.structs.asdict(made).items():
        if isinstance(value, Objective):
            rows += [(f"{name}.{key}", each) for key, each in msgspec.structs.asdict(value).items()]
        else:
            rows.append((name, value))
    return rows
