"""Our decoders accept and refuse exactly what jsonschema does, over thousands of mutants of every action's payload.

Known and wanted differences, kept out of the mutants: integers beyond 64 bits (refused here), and 1.0 for an integer, of which the
`ocpp` package's own validator (draft 4) says no and draft 6 says yes; we follow the draft that the schema names.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import validators  # type: ignore[import-untyped]

from chargenet.model.words import Protocol
from collector.ocpp.schemas import Schema, SchemaViolation, actions, schema_for
from tests.support.payloads import full, minimal

MUTANTS_PER_SCHEMA = 16
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 10**9, 0.5, -3.7, 21.4, 21.45, 1.0, "", "x", "é" * 26, "x" * 21, "x" * 51, "x" * 300, "x" * 10_500,
    [], {}, [1], ["x"], [{}], {"x": 1}, {"vendorId": "x"}, {"vendorId": "x", "more": [1]}, "2026-03-01T12:00:00Z", "not a time",
]  # fmt: skip
KEYS = ["x", "customData", "connectorId", "timestamp", "Status"]


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


def _mutate(payload: Any, rng: random.Random) -> Any:
    """Copy `payload` with one part changed, removed, added or multiplied."""
    payload = copy.deepcopy(payload)
    where = rng.choice(list(_containers(payload)))
    keys = list(where) if isinstance(where, dict) else list(range(len(where)))
    change = rng.randrange(5)
    if change == 0 or not keys:
        if isinstance(where, dict):
            where[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))
        else:
            where.append(copy.deepcopy(rng.choice(VALUES)))
    elif change == 1:
        del where[rng.choice(keys)]
    elif change == 2 and isinstance(where, list):
        where.extend(copy.deepcopy(where) * rng.choice([1, 4, 1100]))
    else:
        where[rng.choice(keys)] = copy.deepcopy(rng.choice(VALUES))
    return payload


def _reference(schema: Schema) -> tuple[Any, bool]:
    """jsonschema's validator for the draft that the schema names; decimals where a multiple of 0.1 must be told."""
    exact = "multipleOf" in json.dumps(schema.document)
    document = json.loads(json.dumps(schema.document), parse_float=Decimal if exact else None)
    return validators.validator_for(document)(document), exact


def _accepts(schema: Schema, text: str) -> bool:
    try:
        schema.decode(text.encode())
    except SchemaViolation:
        return False
    return True


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("response", [False, True], ids=["request", "response"])
def test_same_verdict_as_jsonschema(protocol: Protocol, response: bool) -> None:
    """Not one disagreement, and the mutants are both valid and invalid."""
    rng = random.Random(f"{protocol}{response}")
    verdicts = []
    for action in sorted(actions(protocol)):
        if response and action == "NotifyPeriodicEventStream":
            continue
        schema = schema_for(protocol, action, response=response)
        validator, exact = _reference(schema)
        for at in range(MUTANTS_PER_SCHEMA):
            mutant = _mutate((minimal if at % 2 else full)(schema.document), rng)
            for _ in range(rng.randrange(3)):
                mutant = _mutate(mutant, rng) if isinstance(mutant, dict | list) else mutant
            text = json.dumps(mutant)
            verdict = validator.is_valid(json.loads(text, parse_float=Decimal if exact else None))
            assert _accepts(schema, text) == verdict, f"{protocol.value} {action}: {text[:400]}"
            verdicts.append(verdict)
    assert len(verdicts) >= 600
    assert 0.02 < sum(verdicts) / len(verdicts) < 0.98
