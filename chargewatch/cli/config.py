"""`chargewatch config check`: the settings as they are meant, each with where it came from."""

from __future__ import annotations

import typer

from chargenet.settings import load_with_sources
from chargewatch.cli.output import console, print_json, table
from chargewatch.cli.session import Config, Data, Json

app = typer.Typer(no_args_is_help=True, help="Settings: check.")


@app.callback()
def settings() -> None:
    """Settings: check."""


@app.command()
def check(json: Json = False, data: Data = None, config: Config = None) -> None:
    """Print every setting and where it comes from, or say which one is wrong (exit code 2).

    Example: chargewatch config check --config chargewatch.toml
    """
    loaded = load_with_sources(config, None, {"data_dir": data})
    rows = list(loaded.rows())
    if json:
        print_json([{"key": key, "value": value, "source": source} for key, value, source in rows])
    else:
        console().print(table(("setting", "value", "from"), rows))
