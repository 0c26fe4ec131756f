"""The API of a running platform keeps what its OpenAPI document promises, whatever it is sent: statuses, media types,
bodies, and never a 500."""

from __future__ import annotations

import json
import tempfile
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from websockets.sync.client import connect

from chargenet.settings import load
from chargewatch.api import create_app
from tests.support.api import FakePlatform
from tests.support.platform import RunningPlatform

EXAMPLES = 25
NEVER_ENDS = "/api/v1/events"
load_all_checks()
NOT_OURS = {
    "ignored_auth": "tests/unit/api/test_access.py calls every route without a key",
    "unsupported_method": "405 is asserted there too; OPTIONS and TRACE are not answered by routes",
    "use_after_free": "a removed token is answered by value, not by a resource of its own",
    "ensure_resource_availability": "created rows are found under their own id, which links do not describe",
    "positive_data_acceptance": "a valid body may still contradict what is stored",
    "missing_required_header": "no header is required but Authorization",
    "max_response_time": "no wall clock in tests",
}


REFUSALS = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": [400, 403, 404, 405, 406, 409, 413, 415, 422, 429]}}}
)
"""What a forbidden request may be answered; 413, which the library leaves out, is for more than four megabytes."""


EXCLUDED: list[Any] = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name in NOT_OURS]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """All programs, and one charge point that was there once: what a new installation has after its first day."""
    folder = tmp_path_factory.mktemp("api")
    config = folder / "config.toml"
    config.write_text("[http]\nfailed_keys = 1000000\n")
    with RunningPlatform(folder / "data", "--config", str(config)) as platform:
        with connect(f"{platform.url}/CP-1", subprotocols=["ocpp1.6"]) as socket:  # type: ignore[list-item]  # a NewType of str
            plug = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
            socket.send(json.dumps([2, "1", "StatusNotification", plug]))
            socket.recv(10)
        platform.api("PUT", "/api/v1/sites/harbour", json={"name": "Harbour"})
        platform.api("POST", "/api/v1/tokens", json={"value": "CARD"})
        yield platform


def operations() -> list[Any]:
    """Every documented operation but the endless one and the uploads; the key is the test's business, not the generator's."""
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(FakePlatform(load(None, {}, {"data_dir": folder}))).openapi()
    for operation in (each for path in document["paths"].values() for each in path.values()):
        operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(document, config=REFUSALS).exclude(path=NEVER_ENDS).exclude(path_regex="^/uploads")
    results: list[Any] = list(schema.get_all_operations())
    return [result.ok() for result in results]


def cases() -> Iterator[Any]:
    """Allowed requests for all; forbidden ones for those that take anything that could be wrong (a CSV body is just text)."""
    for operation in operations():
        yield pytest.param(operation, GenerationMode.POSITIVE, id=f"{operation.label}, as documented")
        takes_parts = any((operation.path_parameters, operation.query, operation.body))
        if takes_parts and "import" not in operation.path:
            yield pytest.param(operation, GenerationMode.NEGATIVE, id=f"{operation.label}, against the document")


@pytest.mark.parametrize(("operation", "mode"), list(cases()))
def test_the_document_is_kept(operation: Any, mode: GenerationMode, api: RunningPlatform) -> None:
    """Any request that the document allows, and any that it forbids, gets an answer that the document describes."""

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps(case: Any) -> None:
        headers = {"Authorization": f"Bearer {api.key}"}
        response = case.call(base_url=f"http://127.0.0.1:{api.http_port}", headers=headers, timeout=60)
        assert response.status_code != 500, response.text
        case.validate_response(response, excluded_checks=EXCLUDED)

    try:
        keeps()
    # What was sent may hold lone surrogates, in which no report of a failure can be written.
    except Exception as failure:
        pytest.fail("".join(traceback.format_exception(failure)).encode("utf-8", "replace").decode(), pytrace=False)
