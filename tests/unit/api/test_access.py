"""Who may do what, how often one may guess, and what every response carries."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from chargenet.model.words import Role
from chargenet.settings.values import Secret
from chargewatch.api.app import rules
from chargewatch.api.auth import FailureLimit
from chargewatch.api.permissions import TABLE, Permission
from tests.support.api import Api, api_over

GUARDED = [rule for rule in rules() if rule.needs is not None]
OPEN = {"/healthz", "/readyz", "/metrics"}


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_reaches_exactly_what_the_table_says(api: Api, role: Role) -> None:
    """Every route refuses a key without its permission with 403, and no route refuses one that has it."""
    for rule in GUARDED:
        assert rule.needs is not None
        if rule.path.endswith("/events") and rule.method == "GET":
            continue  # never ends; its permission is that of every reader, see test_stream
        answer = await api.client(api.keys[role.value]).request(rule.method, _sample(rule.path))
        may = rule.needs.permission in TABLE[role]
        assert (answer.status_code == 403) is not may, f"{role} {rule.method} {rule.path}: {answer.status_code}"


@pytest.mark.parametrize("rule", GUARDED, ids=lambda rule: f"{rule.method} {rule.path}")
async def test_no_key_no_answer(api: Api, rule: object) -> None:
    """Without a key every route but probes and uploads answers 401 and says how to authenticate."""
    method, path = getattr(rule, "method"), getattr(rule, "path")  # noqa: B009 parametrized
    answer = await api.raw.request(method, f"/api/v1{_sample(path)}")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="chargewatch"')


def _sample(path: str) -> str:
    for name in ("charge_point_id", "transaction_id", "site_id", "file_id", "key_id", "silence_id", "message_id", "receiver"):
        path = path.replace("{" + name + "}", "nothing")
    return path.removeprefix("/api/v1")


def test_roles_are_ordered_as_documented() -> None:
    """An operator may all that a viewer may, an admin all there is; only admins see keys and audit."""
    assert TABLE[Role.VIEWER] < TABLE[Role.OPERATOR] < TABLE[Role.ADMIN] == frozenset(Permission)
    assert TABLE[Role.VIEWER] < TABLE[Role.BILLING] and Permission.OPERATE not in TABLE[Role.BILLING]
    assert [role for role in Role if Permission.ADMINISTER in TABLE[role]] == [Role.ADMIN]


async def test_a_revoked_key_is_refused_at_once(api: Api) -> None:
    """A key works until it is revoked; the last working admin key cannot be."""
    made = (await api.admin.post("/keys", json={"name": "wallboard", "role": "viewer"})).json()
    client = api.client(made["secret"])
    assert (await client.get("/sites")).status_code == 200
    assert (await api.admin.delete(f"/keys/{made['key']['key_id']}")).status_code == 200
    assert (await client.get("/sites")).status_code == 401
    own = next(key["key_id"] for key in (await api.admin.get("/keys")).json()["items"] if key["role"] == "admin")
    assert (await api.admin.delete(f"/keys/{own}")).status_code == 409
    assert made["secret"] not in (await api.admin.get("/keys")).text + (await api.admin.get("/audit")).text


async def test_wrong_keys_are_limited(tmp_path: Path) -> None:
    """After the limit an address is refused even with the right key, until the window is over."""
    async with api_over(tmp_path, http__failed_keys=3, http__failed_keys_window_s=60) as api:
        for _ in range(3):
            assert (await api.client("cw_000000000000_wrong").get("/sites")).status_code == 401
        refused = await api.viewer.get("/sites")
        assert refused.status_code == 429 and 0 < int(refused.headers["retry-after"]) <= 61
        api.platform.clock.advance(61)
        assert (await api.viewer.get("/sites")).status_code == 200


def test_the_failure_limit_is_bounded() -> None:
    """Guesses from ever new addresses do not fill the memory, and only count against their own address."""
    limit = FailureLimit(2, 60.0)
    for number in range(20_000):
        limit.failed(f"10.0.{number >> 8}.{number & 255}", 0.0)
    assert len(limit._failures) == 10_000
    limit.failed("10.0.78.31", 1.0)
    assert limit.wait_s("10.0.78.31", 2.0) == pytest.approx(58.0) and limit.wait_s("10.0.78.30", 2.0) == 0.0


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer  ", "Token cw_x_y"])
async def test_only_bearer_keys_count(api: Api, header: str) -> None:
    """Any other Authorization header is as if there was none."""
    assert (await api.raw.get("/api/v1/sites", headers={"Authorization": header})).status_code == 401


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_probes_are_open_only_where_configured(tmp_path: Path, path: str) -> None:
    """On loopback probes need no key; elsewhere, by default, they do."""
    async with api_over(tmp_path) as api:
        assert (await api.raw.get(path)).status_code == 200
    async with api_over(tmp_path, http__listen="0.0.0.0:8080") as api:
        assert (await api.raw.get(path)).status_code == 401
        assert (await api.raw.get(path, headers={"Authorization": f"Bearer {api.keys['viewer']}"})).status_code == 200


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_the_token_of_probes_opens_these_and_nothing_else(tmp_path: Path, path: str) -> None:
    """What Prometheus carries reads metrics; who finds it learns no more. Another token, or none configured, opens nothing."""
    token = Secret("probe-token-of-the-test")
    bearer = {"Authorization": f"Bearer {token.reveal()}"}
    async with api_over(tmp_path, http__listen="0.0.0.0:8080", http__probe_token=token) as api:
        assert (await api.raw.get(path, headers=bearer)).status_code == 200
        assert (await api.raw.get(path, headers={"Authorization": "Bearer probe-token-of-the-tesT"})).status_code == 401
        assert (await api.raw.get("/api/v1/sites", headers=bearer)).status_code == 401
    async with api_over(tmp_path, http__listen="0.0.0.0:8080") as api:
        assert (await api.raw.get(path, headers=bearer)).status_code == 401


async def test_every_response_has_security_headers(api: Api) -> None:
    """Successes, problems and probes alike; no cross-origin reading is allowed."""
    for answer in (await api.viewer.get("/sites"), await api.raw.get("/api/v1/sites"), await api.raw.get("/healthz")):
        headers = answer.headers
        assert (headers["x-content-type-options"], headers["x-frame-options"], headers["cache-control"]) == (
            "nosniff",
            "DENY",
            "no-store",
        )
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "access-control-allow-origin" not in headers


async def test_large_bodies_are_refused(tmp_path: Path) -> None:
    """A body over the limit is 413 whether its length was declared or not."""
    async with api_over(tmp_path, http__max_body_bytes=2048) as api:

        async def chunks() -> object:
            for _ in range(10):
                yield b"[" * 1000

        for content in (b"x" * 4096, chunks()):
            answer = await api.operator.post("/charge-points", content=content, headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["title"]) == (413, "The request is too large")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/sites", 405), ("POST", "/sites", 405)]
)
async def test_routing_errors_are_problems(api: Api, method: str, path: str, status: int) -> None:
    """Paths and methods that are not there answer as problems too."""
    answer = await api.admin.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_an_unexpected_error_tells_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is a 500 without its text; the log has it."""

    async def broken(**_: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(api.platform.stores.sites, "page", broken)
    answer: httpx.Response = await api.viewer.get("/sites")
    assert answer.status_code == 500 and "42" not in answer.text and answer.json()["status"] == 500


async def test_readiness_follows_the_critical_checks(api: Api) -> None:
    """readyz is 503, with the reason, while the journal cannot write; healthz stays 200; /health always tells all."""
    from chargewatch.api import HealthCheck

    assert (await api.raw.get("/readyz")).json() == {"status": "ready", "reasons": []}
    api.platform.checks = [
        HealthCheck(name="journal", ok=False, critical=True, detail="no space left"),
        HealthCheck(name="sql", ok=False, detail="does not answer"),
    ]
    answer = await api.raw.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["journal: no space left"])
    assert (await api.raw.get("/healthz")).status_code == 200
    assert (await api.viewer.get("/health")).json()["status"] == "failing"
