"""`chargewatch dashboards`: boards and rules as files. They ask no platform; `preview` asks the stores that Grafana would ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chargenet.errors import SettingsError
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import console, note, parse_when, print_json, table
from chargewatch.cli.session import CLOCK, Json
from chargewatch.rule_files import SUFFIX, rule_files, write_rules
from dashboards.asking import Sources
from dashboards.boards import BOARDS
from dashboards.build import PROVISIONED, build, json_of, stale
from dashboards.lint import context_of, lint, recorded_by
from dashboards.queries import View
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


# Most of it is its options and their help.
@app.command("preview")
def preview_(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Write one PNG for each board here.")],
    prometheus: Annotated[str, typer.Option(metavar="URL", help="Prometheus to ask.")] = "http://127.0.0.1:9090",
    influx: Annotated[
        str | None, typer.Option(metavar="URL", help="InfluxDB to ask by InfluxQL. \\[default: none; its panels stay empty]")
    ] = None,
    database: Annotated[
        str, typer.Option(metavar="NAME", help="InfluxQL database: the bucket, by its DBRP mapping.")
    ] = "chargewatch",
    token_file: Annotated[Path | None, typer.Option(metavar="FILE", help="File with the token of InfluxDB.")] = None,
    board: Annotated[list[str] | None, typer.Option(metavar="UID", help="Only this board; may be repeated.")] = None,
    var: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="The value of a variable; may be repeated.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="T", help="End of the time range: an instant, or an age like 2h. \\[default: now]")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 90, help="Length of the time range.")] = 6.0,
    scrape: Annotated[float, typer.Option(min=1, max=600, help="Seconds between two scrapes of Prometheus.")] = 15.0,
    json: Json = False,
) -> None:
    """Draw every board from the answers that Grafana would get, as pictures for people without Grafana.

    Example: chargewatch dashboards preview --out pictures --prometheus http://127.0.0.1:9090 --var site=harbour
    """
    # matplotlib takes a moment to load, which other commands need not wait for.
    from dashboards.preview import preview

    end = (parse_when(at, CLOCK.now()) or CLOCK.now()).timestamp()
    chosen = [each for each in BOARDS if board is None or each.uid in board]
    if not chosen:
        raise CommandFailed(
            f"there is no board {', '.join(board or [])}: the uids are {', '.join(each.uid for each in BOARDS)}", Exit.NOT_FOUND
        )
    view = View(start=end - hours * 3600, end=end, points=720, scrape_s=scrape)
    sources = Sources(prometheus, influx, database, _secret(token_file) if token_file else "")
    try:
        written = preview([json_of(each) for each in chosen], _pairs(var or []), view, sources, out)
    finally:
        sources.close()
    if json:
        print_json([str(path) for path in written])
    else:
        note(f"{len(written)} pictures written to {out}")


@app.command("push")
def push_(
    url: Annotated[str, typer.Option(metavar="URL", help="Where Grafana is, e.g. https://grafana.example.")],
    token_file: Annotated[Path, typer.Option(metavar="FILE", help="File with a token of a service account with role Editor.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, write nothing.")] = False,
    json: Json = False,
) -> None:
    """Write every board to a Grafana that cannot read files; what is there already is left alone.

    Example: chargewatch dashboards push --url https://grafana.example --token-file grafana.token --dry-run
    """
    # requests takes a moment to load, which other commands need not wait for.
    from dashboards.grafana import Grafana
    from dashboards.push import push

    grafana = Grafana(url, _secret(token_file))
    try:
        done = push([json_of(board) for board in BOARDS], grafana, dry_run=dry_run)
    finally:
        grafana.close()
    if json:
        print_json(done)
    else:
        console().print(
            table(("board", "uid", "would be" if dry_run else "is"), ((each.title, each.uid, each.what) for each in done))
        )


def _pairs(given: list[str]) -> dict[str, str]:
    """NAME=VALUE; several values of one variable are separated by commas."""
    for each in given:
        if "=" not in each:
            raise CommandFailed(f"--var {each}: write NAME=VALUE", Exit.USAGE)
    return dict(each.split("=", 1) for each in given)


def _secret(file: Path) -> str:
    try:
        token = file.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(str(file), "", f"cannot be read: {error.strerror}") from error
    if not (token.isascii() and token.isprintable() and token) or " " in token:
        raise SettingsError(str(file), "", "must hold a token and nothing else")
    return token


def _stale_rules(folder: Path, made: dict[str, str]) -> list[str]:
    there = {path.name: path.read_text("utf-8") for path in folder.glob(f"*{SUFFIX}")}
    names = sorted(set(made) | set(there))
    return [f"{name} is not what the rules' code builds" for name in names if made.get(name) != there.get(name)]


def _config(file: Path | None) -> RuleConfig:
    return RuleConfig() if file is None else load_config(file)
