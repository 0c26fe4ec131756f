"""Firmware for simulated charge points: a good image, a bad one and a former one to go back to, with manifests and rollout files.

Decided here: how bad the bad one is, and rollouts that reach a verdict within minutes of a network that lives `speed` times faster.
"""

from __future__ import annotations

import hashlib
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
        _write(folder / "STEPS.txt", steps(folder, data).encode()),
    ]
    return written


def rollout_file(name: str, artifact: str, speed: float) -> dict[str, object]:
    """A rollout over the whole network; its lengths of time are those of the network's life, its patience is the clock's."""
    return {
        "name": name,
        "artifact": artifact,
        "target": {"all": True},
        "waves": {"sizes": ["5", "rest"], "holdout": "15 %"},
        "soak": {"at_least": "1h", "at_most": "7d"},
        # Simulated connectors are metered once a real second at most: in a network that lives fast, gaps mean nothing.
        "gate": {"network_speed": speed, "settle_minutes": 5, "good_sessions": 1, "observe_only": ["meter_gaps"]},
        "caps": {"per_site": "50 %", "overall": 100},
        "patience": {"answer": "30s", "boot": "30s", "verify": "3m", "install": "3m", "lost": "5m", "reach": "5m"},
        "retries": {"delays": ["30s", "1m"]},
        "availability": "close",
    }


def steps(folder: Path, data: Path | None) -> str:
    """What to type, in order."""
    to = f" --data {data}" if data is not None else ""
    lines = ["# a bad firmware is stopped in the canary"]
    for name in (BAD, FORMER, GOOD):
        lines += [
            f"chargewatch firmware add {folder / name}.bin --manifest {folder / name}.yaml{to}",
            f"chargewatch firmware approve {name}{to}",
        ]
    lines += [
        f"chargewatch rollout plan {folder / 'bad-rollout.yaml'}{to}",
        f"chargewatch rollout create {folder / 'bad-rollout.yaml'}{to}",
        f"chargewatch rollout start bad{to}",
        f"chargewatch rollout status bad --watch{to}",
        "# it halts within some minutes and says why; what happened:",
        f"chargewatch rollout history bad{to}",
        "# go back where it was installed, with a canary of its own (or only: chargewatch rollout abort bad)",
        f"chargewatch rollout rollback bad --to {FORMER}{to}",
        f"chargewatch rollout start bad-back{to}",
        f"chargewatch rollout status bad-back --watch{to}",
        "# once it has soaked it waits for a person",
        f"chargewatch rollout approve bad-back{to}",
        "# a good firmware finishes",
        f"chargewatch rollout create {folder / 'good-rollout.yaml'}{to}",
        f"chargewatch rollout start good{to}",
        f"chargewatch rollout status good --watch{to}",
    ]
    return "\n".join(lines) + "\n"


def _yaml(path: Path, content: dict[str, object]) -> Path:
    return _write(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
