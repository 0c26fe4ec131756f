"""Schema changes, run by the program itself at start: no command to remember, no schema that is not the code's.

Alembic is imported only where there is something to change: that is a third of a second of every other start.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy.exc
from sqlalchemy import Connection, inspect, text

from chargenet.errors import Conflict
from chargenet.storage.relational_engine import make_engine, parse_url, unavailable

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 7_240_917_533_001
"""PostgreSQL advisory lock: two programs that start together migrate one after the other."""

TIMEOUT_S = 600.0
"""A migration may rewrite a large table."""


def migrate(url: str, *, password: str | None = None, timeout_s: float = TIMEOUT_S) -> str:
    """Bring the database to this program's schema and return its revision. Blocking: call it in a worker thread.

    Raises StoreUnavailable, and Conflict when the database was made by a newer chargewatch.
    """
    parsed = parse_url(url, password)
    if parsed.drivername == "sqlite":
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        Path(str(parsed.database)).touch(mode=0o600)
    engine = make_engine(parsed, pool_size=1, timeout_s=timeout_s, begin="BEGIN IMMEDIATE")
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            needed = newest()
            return needed if _revision(connection) == needed else _upgrade(connection)
    except sqlalchemy.exc.SQLAlchemyError as error:
        problem = unavailable(error)
        if problem is None:
            raise
        raise problem from error
    finally:
        engine.dispose()


def newest() -> str:
    """The revision that this program needs: that of the last script, which is named for it."""
    return max(path.name[1:5] for path in (Path(__file__).parent / "versions").glob("v[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    """Of the database; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection) -> str:
    from alembic import command

    config = _config()
    _refuse_newer(_revision(connection), config)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return str(_revision(connection))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(revision: str | None, config: Config) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise Conflict(f"the database has schema {revision!r}, made by a newer chargewatch: install that version")
