"""Firmware for simulated charge points: a good image, a bad one and a former one to go back to, with manifests and rollout files.

Decided here: how bad the bad one is, rollouts that reach a verdict within minutes of a network that lives `speed` times faster, and
what is typed in which order. docs/rollouts.md has the same commands.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import sys
from pathlib import Path

import yaml

from simulator.image import Troubles, make_image

GOOD, BAD, FORMER = "demo-2.0.0", "demo-3.0.0", "demo-1.0.0"
BAD_TROUBLES = Troubles(faults_per_day=200, offline_per_day=50, offline_s=900, failed_sessions=0.5)
_WHAT = {GOOD: "2.0.0", BAD: "3.0.0", FORMER: "1.0.0"}


def write_images(folder: Path, speed: float, data: Path | None) -> list[Path]:
    """All files, and STEPS.txt with the commands. Blocking. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for release, (name, version) in enumerate(sorted(_WHAT.items(), key=lambda item: item[1]), 1):
        image = make_image(version, BAD_TROUBLES if name == BAD else Troubles())
        manifest = {
            "name": name, "vendor": "*", "models": ["*"], "version": version, "release": release,
            "sha256": hashlib.sha256(image).hexdigest(), "downgrade_allowed": name == FORMER,
        }  # fmt: skip
        written += [_write(folder / f"{name}.bin", image), _yaml(folder / f"{name}.yaml", manifest)]
    written += [
        _yaml(folder / "good-rollout.yaml", rollout_file("good", GOOD, speed)),
        _yaml(folder / "bad-rollout.yaml", rollout_file("bad", BAD, speed)),
        _write(folder / "STEPS.txt", steps(folder, data, program()).encode()),
    ]
    return written


def rollout_file(name: str, artifact: str, speed: float) -> dict[str, object]:
    """A rollout over the whole network; its lengths of time are those of the network's life, its patience is the clock's."""
    return {
        "name": name,
        "artifact": artifact,
        "target": {"all": True},
        "waves": {"sizes": ["5", "rest"], "holdout": "15 %"},
        "soak": {"at_least": "1h", "at_most": "24h"},
        # Simulated connectors are metered once a real second at most: in a network that lives fast, gaps mean nothing. A slow car
        # charges for eight hours of the network's life: nobody who tries this waits for one session of every model to end. Nor
        # for as much proof as real waves are asked for: eighty charge points give it late.
        "gate": {
            "network_speed": speed,
            "settle_minutes": 5,
            "good_sessions": 0,
            "rule_out": [5],
            "observe_only": ["meter_gaps"],
        },
        "caps": {"per_site": "50 %", "overall": 100},
        "patience": {"answer": "30s", "boot": "30s", "verify": "3m", "install": "3m", "lost": "5m", "reach": "3m"},
        "retries": {"delays": ["30s", "1m"]},
        "availability": "close",
    }


def program() -> str:
    """How a shell finds this program again: a virtual environment that is not active is on no PATH."""
    if shutil.which("chargewatch"):
        return "chargewatch"
    if sys.argv[0].endswith("__main__.py"):
        return f"{shlex.quote(sys.executable)} -m chargewatch"
    return shlex.quote(sys.argv[0])


def steps(folder: Path, data: Path | None, program: str = "chargewatch") -> str:
    """What to type, in order. As each `--watch` ends where a person is needed, a shell can run it from top to bottom."""
    paths = {name: shlex.quote(str(folder / name)) for name in (*_WHAT, "bad-rollout.yaml", "good-rollout.yaml")}
    lines = ["# three images: a bad one, the former one to go back to, a good one"]
    for name in (BAD, FORMER, GOOD):
        lines += [f"firmware add {paths[name]}.bin --manifest {paths[name]}.yaml", f"firmware approve {name}"]
    lines += [
        "# the bad one is stopped in the canary",
        f"rollout plan {paths['bad-rollout.yaml']}",
        f"rollout create {paths['bad-rollout.yaml']}",
        "rollout start bad",
        "rollout status bad --watch",
        "# it has halted, and says why; every step of it:",
        "rollout history bad",
        "# give it up: what is installed stays",
        "rollout abort bad --why 'halted in the canary'",
        "# go back where it was installed, with a canary of its own; a person says yes when each wave has soaked",
        f"rollout rollback bad --to {FORMER}",
        "rollout start bad-back",
        "rollout status bad-back --watch",
        "rollout approve bad-back --why 'the canary is well'",
        "rollout status bad-back --watch",
        "rollout approve bad-back --why 'the others are well'",
        "rollout status bad-back --watch",
        "# a good one finishes",
        f"rollout create {paths['good-rollout.yaml']}",
        "rollout start good",
        "rollout status good --watch",
    ]
    to = f" --data {shlex.quote(str(data))}" if data is not None else ""
    return "".join(f"{line}\n" if line.startswith("#") else f"{program} {line}{to}\n" for line in lines)


def _yaml(path: Path, content: dict[str, object]) -> Path:
    return _write(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
