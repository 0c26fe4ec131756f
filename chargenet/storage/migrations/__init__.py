"""Schema changes, run by the program itself at start: no command to remember, no schema that is not the code's."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from chargenet.errors import Conflict
from chargenet.storage.relational_engine import make_engine, parse_url, unavailable

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
    config = _config()
    engine = make_engine(parsed, pool_size=1, timeout_s=timeout_s, begin="BEGIN IMMEDIATE")
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _refuse_newer(MigrationContext.configure(connection).get_current_revision(), config)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return str(MigrationContext.configure(connection).get_current_revision())
    except sqlalchemy.exc.SQLAlchemyError as error:
        problem = unavailable(error)
        if problem is None:
            raise
        raise problem from error
    finally:
        engine.dispose()


def head() -> str:
    """The revision that this program needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(revision: str | None, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise Conflict(f"the database has schema {revision!r}, made by a newer chargewatch: install that version")
