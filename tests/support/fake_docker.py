"""A `docker` for tests of the deploy scripts: it runs what they would run inside containers on this machine instead.

PostgreSQL's tools and the platform are the real ones; InfluxDB 2's client is not to be had, so it is a script that keeps what it is
given. Every call is written down.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

_DOCKER = """#!/bin/sh
# exec -T SERVICE COMMAND… | run --rm -T --no-deps [--entrypoint X] SERVICE COMMAND… | stop, start, ps, up
set -eu
echo "$*" >>"@FOLDER@/calls"
[ "$1" = compose ] || exit 64
shift
case "$1" in
    stop | start | up) exit 0 ;;
    ps)
        [ -e "@STACK@/.env" ] || { echo 'required variable PUBLIC_URL is missing a value' >&2; exit 15; }
        cat "@FOLDER@/running"
        exit 0
        ;;
esac
shift
entry=""
while :; do
    case "$1" in
        --entrypoint) entry=$2; shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
service=$1
shift
[ -z "$entry" ] || set -- "$entry" "$@"
export PATH="@FOLDER@/bin:@TOOLS@:$PATH" PGHOST=127.0.0.1 PGPORT=@PORT@
case "$service" in
    collector) exec "@PYTHON@" -m "$@" ;;
esac
# Paths of a container are folders of this test.
count=$#
while [ "$count" -gt 0 ]; do
    argument=$(printf %s "$1" | sed -e "s#/run/secrets/#@STACK@/secrets/#g" -e "s#/tmp/backup#@FOLDER@/influx-$service#g" \\
        -e "s#^/prometheus\\$#@FOLDER@/prometheus#" -e "s#^/alertmanager\\$#@FOLDER@/alertmanager#" \\
        -e "s#^/var/lib/grafana\\$#@FOLDER@/grafana#")
    shift
    set -- "$@" "$argument"
    count=$((count - 1))
done
exec "$@"
"""
_INFLUX = """#!/bin/sh
# influx backup DIR | influx restore --full DIR, with the operator's token in INFLUX_TOKEN
set -eu
[ "$INFLUX_TOKEN" = "$(cat "@STACK@/secrets/influx_operator_token")" ]
case "$1 $2" in
    "backup "*) mkdir -p "$2"; cp "@FOLDER@/influx-data" "$2/data" ;;
    "restore --full") cp "$3/data" "@FOLDER@/influx-data" ;;
    *) exit 64 ;;
esac
"""


def install(folder: Path, *, stack: Path, port: int, tools: Path) -> dict[str, str]:
    """Put the two programs into `folder`/bin; the environment that finds them. `tools`: where pg_dump is."""
    values = {"FOLDER": folder, "STACK": stack, "PORT": port, "PYTHON": sys.executable, "TOOLS": tools}
    (folder / "bin").mkdir(parents=True)
    (folder / "running").write_text("")
    for name, text in (("docker", _DOCKER), ("influx", _INFLUX)):
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        path = folder / "bin" / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return dict(os.environ) | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
