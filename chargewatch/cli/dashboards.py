"""`chargewatch dashboards`: boards and rules as files. They ask no platform; `preview` asks the stores that Grafana would ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chargewatch.cli.exits import CommandFailed
from chargewatch.cli.output import note, print_json
from chargewatch.cli.session import Json
from chargewatch.rule_files import SUFFIX, rule_files, write_rules
from dashboards.boards import BOARDS
from dashboards.build import PROVISIONED, build, json_of, stale
from dashboards.lint import context_of, lint, recorded_by
from dashboards.rules import RuleConfig, load_config

app = typer.Typer(no_args_is_help=True, help="Grafana boards and Prometheus rules: build, check, preview, push.")

RULES = PROVISIONED.parent.parent / "rules"

Rules = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FILE", help="Thresholds, selectors and links of the rules, as TOML. \\[default: ours]"),
]


@app.command("build")
def build_(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write DIR/boards and DIR/rules. \\[default: beside the code]")
    ] = None,
    rules: Rules = None,
    json: Json = False,
) -> None:
    """Write every board as JSON for Grafana, and every rule file for Prometheus.

    Example: chargewatch dashboards build --out /etc/chargewatch/monitoring
    """
    config = _config(rules)
    written = build(PROVISIONED if out is None else out / "boards")
    written += write_rules(RULES if out is None else out / "rules", config)
    if json:
        print_json([str(path) for path in written])
    else:
        note(f"{len(written)} files written, to {' and '.join(sorted({str(path.parent) for path in written}))}")


@app.command("check")
def check(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Check DIR/boards and DIR/rules. \\[default: beside the code]")
    ] = None,
    rules: Rules = None,
    json: Json = False,
) -> None:
    """Lint every board, and find built files that are not what the code builds now.

    Example: chargewatch dashboards check
    """
    config = _config(rules)
    made = rule_files(config)
    boards = [json_of(board) for board in BOARDS]
    context = context_of(boards, recorded_by(made.values()))
    found = [str(problem) for board in boards for problem in lint(board, context)]
    found += stale(PROVISIONED if out is None else out / "boards")
    found += _stale_rules(RULES if out is None else out / "rules", made)
    if json:
        print_json(found)
    else:
        for sentence in found:
            note(sentence)
    if found:
        raise CommandFailed(
            f"{len(found)} thing{'s' if len(found) > 1 else ''} to mend; stale files are mended by `dashboards build`"
        )
    if not json:
        note(f"{len(boards)} boards and {len(made)} rule files are as they should be")


def _stale_rules(folder: Path, made: dict[str, str]) -> list[str]:
    there = {path.name: path.read_text("utf-8") for path in folder.glob(f"*{SUFFIX}")}
    names = sorted(set(made) | set(there))
    return [f"{name} is not what the rules' code builds" for name in names if made.get(name) != there.get(name)]


def _config(file: Path | None) -> RuleConfig:
    return RuleConfig() if file is None else load_config(file)
