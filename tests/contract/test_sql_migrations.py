"""Migrations end in exactly the schema that the code uses, on both databases, and never go back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from alerts.storage import cases_tables
from alerts.storage import tables as relay_tables
from billing_reports.storage import payment_tables, report_tables, rollup_tables
from billing_reports.storage import tables as billing_tables
from chargenet.errors import Conflict
from chargenet.storage.migrations import migrate, newest
from chargenet.storage.relational_engine import make_engine, parse_url
from chargenet.storage.tables import PRIMARY, STATION_MODEL, TRANSACTION_MODEL, cursors, metadata
from firmware_orchestrator.storage import artifact_tables, rollout_tables
from tests.support.postgres import Postgres, postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'x.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


def test_the_migrated_schema_is_that_of_the_tables(url: str) -> None:
    """Alembic's own comparison finds no difference: columns, types, keys, indexes."""
    assert migrate(url) == newest()
    engine = make_engine(parse_url(url), pool_size=1, timeout_s=5)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(url: str) -> None:
    """Rows stay; it is run at every start."""
    migrate(url)
    engine = make_engine(parse_url(url), pool_size=1, timeout_s=5)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO floors (name, value) VALUES ('x', 3)"))
    assert migrate(url) == newest()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT value FROM floors")).scalar_one() == 3
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(url: str) -> None:
    """An older program must not write into a schema that it does not know."""
    migrate(url)
    engine = make_engine(parse_url(url), pool_size=1, timeout_s=5)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="newer chargewatch"):
        migrate(url)
    engine.dispose()


def test_a_migration_that_fails_leaves_no_half_of_it(url: str) -> None:
    """All changes and the version are one transaction: a table in the way undoes them all."""
    engine = make_engine(parse_url(url), pool_size=1, timeout_s=5)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE uploads (mine INTEGER)"))
    with pytest.raises(Exception, match="uploads"):
        migrate(url)
    assert set(inspect(engine).get_table_names()) - {"alembic_version"} == {"uploads"}
    engine.dispose()


def test_every_table_is_derived_or_primary() -> None:
    """A rebuild knows of each table whether it may drop it."""
    known = {
        table.name
        for table in (
            *STATION_MODEL,
            *TRANSACTION_MODEL,
            *PRIMARY,
            *cases_tables.TABLES,
            *relay_tables.TABLES,
            *artifact_tables.TABLES,
            *rollout_tables.ROLLOUT_TABLES,
            *billing_tables.TABLES,
            *payment_tables.TABLES,
            *report_tables.TABLES,
            *rollup_tables.ROLLUP_MODEL,
            cursors,
        )
    }
    assert known == set(metadata.tables)


def test_read_models_name_the_record_they_come_from() -> None:
    """Each row of a read model leads back to the frame that made it."""
    for table in (*STATION_MODEL, *TRANSACTION_MODEL):
        assert {"sequence", "last_sequence"} & set(table.columns.keys()), table.name
