"""`chargewatch doctor` where programs run apart: a line for each of them, also while the collector does not run."""

from __future__ import annotations

import socket
from pathlib import Path

from chargewatch.cli.doctor import examine
from chargewatch.cli.session import Target
from tests.support.servers import free_port


def test_each_program_apart_is_looked_at(tmp_path: Path) -> None:
    """One that listens is well, one that does not is wrong with its address, and one that runs with the collector has no line."""
    config = tmp_path / "chargewatch.toml"
    with socket.create_server(("127.0.0.1", 0)) as alerts:
        there, gone, inner = alerts.getsockname()[1], free_port(), free_port()
        config.write_text(
            f'[sql]\nurl = "postgresql+psycopg://x@127.0.0.1:{gone}/x"\n\n[programs]\nalerts_url = "http://127.0.0.1:{there}"\n'
            f'billing_url = "http://127.0.0.1:{gone}"\nlisten = "127.0.0.1:{inner}"\ntoken = "{"t" * 20}"\n'
        )
        found = {each.what: each for each in examine(Target(tmp_path / "data", None, None, config))}
    assert found["alerts program"].ok is True
    assert found["billing program"].ok is False and f"127.0.0.1:{gone} does not answer" in found["billing program"].detail
    assert "firmware program" not in found
    assert found["port of programs.listen"].detail == f"127.0.0.1:{inner} is free"


def test_without_programs_apart_nothing_is_said_of_them(tmp_path: Path) -> None:
    """Everything in one process is not a fault."""
    assert not [each for each in examine(Target(tmp_path / "data", None, None, None)) if "program" in each.what]
