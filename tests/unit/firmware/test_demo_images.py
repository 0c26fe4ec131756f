"""The images to try rollouts with: their manifests and rollout files are ones, and say what the steps promise."""

from __future__ import annotations

from pathlib import Path

from chargewatch.demo.images import BAD, FORMER, GOOD, write_images
from firmware_orchestrator.manifest_file import check_file, parse_manifest
from firmware_orchestrator.reverse import reverse_file
from firmware_orchestrator.rows import Rollout
from firmware_orchestrator.spec import parse_spec
from simulator.image import read_image
from tests.support.firmware_files import NOW


def test_what_is_written_can_be_used(tmp_path: Path) -> None:
    """Each manifest is its file's; the bad image has troubles and the others none; only the former one may go back."""
    written = write_images(tmp_path / "new", 60, Path("/srv/data"))
    assert all(path.is_file() for path in written)
    for name in (GOOD, BAD, FORMER):
        image = (tmp_path / "new" / f"{name}.bin").read_bytes()
        manifest = parse_manifest((tmp_path / "new" / f"{name}.yaml").read_text(), f"{name}.yaml")
        check_file(manifest, "manifest", manifest.sha256 or "", len(image))
        assert read_image("", image, "1").version == manifest.version
        assert (read_image("", image, "1").troubles.any_rate > 0) == (name == BAD)
        assert manifest.downgrade_allowed == (name == FORMER)
    for name in ("good", "bad"):
        spec = parse_spec((tmp_path / "new" / f"{name}-rollout.yaml").read_text())
        assert spec.policy.network_speed == 60 and spec.close_connectors
    steps = (tmp_path / "new" / "STEPS.txt").read_text()
    assert "rollout rollback bad --to demo-1.0.0 --data /srv/data" in steps and "firmware approve demo-3.0.0" in steps


def test_going_back_waits_for_a_person_once_it_has_soaked() -> None:
    """Those that wait to go back prove little: the soak of the file is both the least and the most."""
    rollout = Rollout(
        rollout_id="bad", name="bad", spec="artifact: a\ntarget: {all: true}\nsoak: {at_least: 2h, at_most: 7d}\n", artifact_id="a",
        version="3.0.0", created_at=NOW, created_by="ann",
    )  # fmt: skip
    spec = parse_spec(reverse_file(rollout, FORMER, ["CP-2", "CP-1"]))
    assert (spec.policy.min_soak_hours, spec.policy.max_soak_hours) == (2, 2)
    assert spec.target.charge_points == ("CP-1", "CP-2") and spec.sizes[0].count == 1
