"""What a manifest means, and which mistakes in one are named."""

from __future__ import annotations

import pytest

from chargenet.errors import InvalidFile
from firmware_orchestrator.manifest import Normaliser, is_expected, same_version
from firmware_orchestrator.manifest_file import check_file, parse_manifest
from tests.support.firmware_files import MANIFEST, manifest


@pytest.mark.parametrize("reported", ["2.4.1", " 2.4.1 ", "V2.4.1", "v2.4.1-B77"])
def test_a_version_is_recognised_however_its_model_spells_it(reported: str) -> None:
    """Blanks, case, a prefix and a build suffix are taken off by the model's normaliser."""
    made = manifest(normalise={"AC-*": Normaliser(strip_prefix="v", strip=r"-b\d+$")})
    assert is_expected(made, "AC-22", reported)
    assert same_version(made, "AC-22", reported, "2.4.1")


@pytest.mark.parametrize("reported", ["2.4.10", "2.4", "", None])
def test_another_version_is_not_the_expected_one(reported: str | None) -> None:
    """No prefix of it counts, and nothing reported is never a success."""
    assert not is_expected(manifest(), "AC-22", reported)


def test_a_pattern_must_fit_the_whole_version() -> None:
    """A pattern that fits a part of it would take 12.4.10 for 2.4.1."""
    made = manifest(version=None, version_pattern=r"2\.4\.\d")
    assert is_expected(made, "AC-22", "2.4.7")
    assert not is_expected(made, "AC-22", "12.4.7") and not is_expected(made, "AC-22", "2.4.77")


def test_unknown_versions_are_never_the_same() -> None:
    """Two charge points that say nothing do not run the same."""
    assert not same_version(manifest(), "AC-22", None, None)


def test_a_version_that_looks_like_a_number_stays_what_it_is() -> None:
    """YAML would make 2.1 of 2.10."""
    assert parse_manifest(MANIFEST.replace("2.4.1\nrelease", "2.10\nrelease")).version == "2.10"


def test_a_manifest_may_be_json() -> None:
    """Makers have tools that write it."""
    text = '{"name": "x-1", "vendor": "X", "models": ["M"], "version": "1", "release": 1, "signature": null}'
    assert parse_manifest(text).version == "1"


MISTAKES = [
    ("name: acme-2.4.1", "name: Acme 2", "manifest.yaml: line 1: name: is 'Acme 2', expected small letters"),
    ("version: 2.4.1\n", "", "give either version or version_pattern"),
    ("version: 2.4.1", "version_pattern: '('", "line 4: version_pattern: is not a regular expression"),
    ("version: 2.4.1", "version_pattern: '.*'", "line 4: version_pattern: fits an empty version"),
    ("version: 2.4.1", "version_pattern: '(1+)+x'", "line 4: version_pattern: repeats a group that repeats itself"),
    ("release: 241", "release: many", "line 5: release: is 'many', expected a whole number"),
    ("release: 241", "release: -1", "line 5: release: is -1, expected 0 or more"),
    ("release: 241", "releas: 241", "line 5: releas: is not known; did you mean release?"),
    ("release: 241\n", "", "release is missing"),
    ('models: ["AC-*"]', "models: []", "line 3: models: names nobody"),
    ("release: 241", "release: 1\nsignature: '!!'\nsigning_certificate: x", "line 6: signature: is not base64"),
    ("release: 241", "release: 1\nsignature: AAAA", "line 6: signature: signature and signing_certificate belong together"),
    (
        "release: 241",
        "release: 1\nprotocols: [ocpp1.5]",
        "line 6: protocols[0]: is 'ocpp1.5', expected ocpp1.6, ocpp2.0.1, ocpp2.1",
    ),
    ("release: 241", "release: 1\nsha256: abc", "line 6: sha256: is not 64 hexadecimal digits"),
    ("release: 241", "release: 1\nrelease: 2", "line 6: release: is there twice"),
    ("release: 241", "release: &a 1", "line 5: anchors and aliases"),
    ("release: 241", "release: !!python/name:os.system x", "line 5: the tag"),
    ("release: 241", "release: [", "is not YAML"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES, ids=[each[2][:50] for each in MISTAKES])
def test_a_mistake_is_named(old: str, new: str, sentence: str) -> None:
    """With its line, its key and what was expected."""
    assert old in MANIFEST
    with pytest.raises(InvalidFile) as refused:
        parse_manifest(MANIFEST.replace(old, new))
    assert sentence in str(refused.value)


def test_a_file_that_is_too_long_or_too_deep_is_refused() -> None:
    """Before anything is built of it."""
    with pytest.raises(InvalidFile, match="more than 256 KiB"):
        parse_manifest("a" * 300_000)
    with pytest.raises(InvalidFile, match="nested deeper"):
        parse_manifest("a: " + "[" * 5000)


def test_a_manifest_of_another_file_is_refused() -> None:
    """Size and hash, where the maker gives them."""
    with pytest.raises(InvalidFile, match="size_bytes: is 5, the file has 6 bytes"):
        check_file(manifest(size_bytes=5), "m.yaml", "a" * 64, 6)
    with pytest.raises(InvalidFile, match=r"sha256: is b+, the file's is a+"):
        check_file(manifest(sha256="B" * 64), "m.yaml", "a" * 64, 6)
    check_file(manifest(sha256="A" * 64, size_bytes=6), "m.yaml", "a" * 64, 6)
