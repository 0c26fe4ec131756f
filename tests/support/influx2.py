"""A real InfluxDB 2.x for tests, set up as docker-compose.yml and deploy/influxdb set up theirs. influx.py says when it is used."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.influx import Influx, program_of_2
from tests.support.servers import ChildServer, answers, free_port

ORG, FIRST_BUCKET, OPERATOR_TOKEN = "chargewatch", "first", "operators-own-token"
DAYS_90_S = 90 * 86_400


class Influx2(Influx):
    """After its setup. `token` reads and writes the last made bucket and nothing else; `headers` carry the operator's."""

    speaks_v2 = True

    def __init__(self, server: ChildServer, port: int) -> None:
        super().__init__(server, port, org=ORG)
        setup = {"username": "admin", "password": "long-enough", "org": ORG, "bucket": FIRST_BUCKET, "token": OPERATOR_TOKEN}
        made = self.call("/api/v2/setup", setup | {"retentionPeriodSeconds": DAYS_90_S})
        self.org_id: str = made["org"]["id"]
        self.headers = {"Authorization": f"Token {OPERATOR_TOKEN}"}

    def call(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """An answer of the v2 API; None where it has no content."""
        data = None if body is None else json.dumps(body).encode()
        with self.open(path, data, method) as response:
            text = response.read()
            return json.loads(text) if text else None

    def make(self, database: str) -> None:
        for bucket in self.buckets(database):
            self.call(f"/api/v2/buckets/{bucket}", method="DELETE")
        rules = [{"type": "expire", "everySeconds": 0}]
        bucket = self.call("/api/v2/buckets", {"name": database, "orgID": self.org_id, "retentionRules": rules})["id"]
        self.map(database, bucket)
        self.token = self.allow(bucket, "read", "write")

    def map(self, database: str, bucket: str) -> None:
        """InfluxQL finds the bucket under this name."""
        mapping = {"database": database, "retention_policy": "autogen", "default": True, "bucketID": bucket}
        self.call("/api/v2/dbrps", mapping | {"orgID": self.org_id})

    def allow(self, bucket: str, *actions: str) -> str:
        """A token that may do this with one bucket."""
        resource = {"type": "buckets", "id": bucket, "orgID": self.org_id}
        permissions = [{"action": action, "resource": resource} for action in actions]
        made = self.call("/api/v2/authorizations", {"orgID": self.org_id, "permissions": permissions})
        return str(made["token"])

    def keep(self, database: str, days: int) -> None:
        [bucket] = self.buckets(database)
        rules = [{"type": "expire", "everySeconds": days * 86_400}]
        self.call(f"/api/v2/buckets/{bucket}", {"retentionRules": rules}, "PATCH")

    def let_read(self, database: str, user: str, password: str) -> None:
        """As `influx v1 auth create` does."""
        [bucket] = self.buckets(database)
        permission = {"action": "read", "resource": {"type": "buckets", "id": bucket, "orgID": self.org_id}}
        body = {"token": user, "orgID": self.org_id, "permissions": [permission]}
        made = self.call("/private/legacy/authorizations", body)["id"]
        self.call(f"/private/legacy/authorizations/{made}/password", {"password": password})

    def buckets(self, name: str) -> list[str]:
        """Ids of the buckets of this name: one or none."""
        try:
            return [bucket["id"] for bucket in self.call(f"/api/v2/buckets?name={name}")["buckets"]]
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return []


@contextmanager
def influxd2(folder: Path) -> Iterator[Influx2]:
    """Start and set up an InfluxDB 2.x in `folder` on a free port."""
    program, port = program_of_2(), free_port()
    paths = [f"--bolt-path={folder}/influxd.bolt", f"--engine-path={folder}/engine", f"--sqlite-path={folder}/influxd.sqlite"]
    line = [str(program), *paths, f"--http-bind-address=127.0.0.1:{port}", "--reporting-disabled"]
    with ChildServer(line, folder=folder, ready=answers(f"http://127.0.0.1:{port}/health"), timeout_s=120) as server:
        yield Influx2(server, port)
