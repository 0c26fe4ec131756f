"""The rule files of this platform: its kinds of cases, under a config. Decided here: nothing but that the two meet."""

from __future__ import annotations

from pathlib import Path

from alerts.kinds import KINDS
from dashboards.rules import CaseKind, RuleConfig, files

SUFFIX = ".rules.yaml"


def rule_files(config: RuleConfig | None = None) -> dict[str, str]:
    """File name → text, as Prometheus reads it."""
    kinds = [
        CaseKind(kind=row.kind, title=row.title, severity=row.severity, thing=row.thing, means=row.means, action=row.action)
        for row in KINDS.values()
    ]
    return files(config or RuleConfig(), kinds)


def write_rules(folder: Path, config: RuleConfig | None = None) -> list[Path]:
    """Write them into `folder`; rule files of ours that are no longer made are removed. Blocking. Raises OSError."""
    made = rule_files(config)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(f"*{SUFFIX}"):
        if stale.name not in made:
            stale.unlink()
    written = []
    for name, text in made.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
