"""A bad firmware reaches a handful of charge points, is halted by what they do afterwards, and is rolled back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.rollout_network import BAD, RolloutNetwork, brief, rollout_network

CANARY = 8
SPEC = """\
name: bad
artifact: eve-2.0.0
target: {all: true}
waves: {sizes: ["8", "rest"], holdout: "12", seed: 7}
soak: {at_least: 6h, at_most: 5d}
gate: {good_sessions: 0, settle_minutes: 1, network_speed: 120, beta: 0.2, rule_out: [10]}
caps: {overall: 40, per_site: "3"}
patience: {answer: 10s, boot: 10s, verify: 30s, lost: 60s, install: 30s}
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_bad_image_is_halted_in_the_canary(tmp_path: Path) -> None:
    """Sixty charge points, a bad image: eight get it; the halt says why; a webhook tells it; it can be rolled back."""
    async with rollout_network(tmp_path, faults_per_day=0.5) as world:
        await world.add_firmware("2.0.0", 2, BAD)
        planned = await world.create(SPEC)
        assert [wave["size"] for wave in planned["waves"]] == [CANARY, 40]
        await world.api("POST", "rollouts/bad/start")
        status = await world.until("bad", lambda status: status["state"] == "halted")
        assert status["waves"][0]["state"] == "failed" and status["wave"] == 0, brief(status)
        assert status["waves"][1]["counts"] == {"queued": 40}, "nobody else was sent it"
        assert status["reason"] == "evidence" and "canary" in status["sentence"] and "against" in status["sentence"], brief(status)
        touched = {point.charge_point_id for point in world.network.charge_points if point.firmware == "2.0.0"}
        assert touched <= {each["charge_point_id"] for each in status["updates"] if each["wave"] == 0}
        news = await world.news("RolloutHalted")
        assert news["severity"] == "critical" and status["sentence"] in news["text"], news["text"]
        await roll_back(world)


async def roll_back(world: RolloutNetwork) -> None:
    """Only where the manifest of the former image allows it; one charge point first, then the others."""
    await world.add_firmware("1.0.0-no", 1)
    refused = await asyncio.to_thread(world.refused, "POST", "rollouts/bad/rollback", {"artifact_id": "eve-1.0.0-no"})
    assert refused[0] == 409 and "does not allow a downgrade" in refused[1]
    await world.add_firmware("1.0.0", 1, downgrade_allowed=True)
    back = await world.api("POST", "rollouts/bad/rollback", {"artifact_id": "eve-1.0.0"})
    assert (await world.status("bad"))["state"] == "rolled_back"
    await world.api("POST", f"rollouts/{back['rollout_id']}/start")
    status = await world.until(back["rollout_id"], lambda status: status["counts"].get("verified", 0) >= 1)
    assert status["waves"][0]["size"] == 1 and status["wave"] == 0, "a canary of its own"
