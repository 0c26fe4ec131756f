"""Reads a manifest: YAML or JSON, as the maker or whoever tested the firmware writes it. Decided here: what is a mistake."""

from __future__ import annotations

import base64
import binascii
import re

from chargenet.errors import InvalidFile
from chargenet.model.words import Protocol
from firmware_orchestrator import strict_yaml
from firmware_orchestrator.manifest import Manifest, normaliser_for
from firmware_orchestrator.strict_yaml import Document, Path

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
MAX_SIGNATURE, MAX_CERTIFICATE = 800, 5500
"""Characters that SignedUpdateFirmware and UpdateFirmwareRequest take."""
MAX_PATTERN = 200


def parse_manifest(text: str, source: str = "manifest.yaml") -> Manifest:
    """The manifest of a text. Raises InvalidFile with line, key and sentence."""
    document = strict_yaml.read(text, source)
    manifest = strict_yaml.convert(document, Manifest)
    if not _NAME.fullmatch(manifest.name):
        raise document.wrong(("name",), f"is {manifest.name!r}, expected small letters, digits, dots, dashes, such as acme-2.4.1")
    if not manifest.models:
        raise document.wrong(("models",), "names nobody; for every model of the vendor say ['*']")
    _check_version(document, manifest)
    _check_rules(document, manifest)
    _check_signature(document, manifest)
    _check_lists(document, manifest)
    return manifest


def _check_version(document: Document, manifest: Manifest) -> None:
    if (manifest.version is None) == (manifest.version_pattern is None):
        raise document.wrong((), "give either version or version_pattern: what does a charge point report once it runs this?")
    if manifest.version is not None and not manifest.version.strip():
        raise document.wrong(("version",), "is empty")
    if manifest.version_pattern is not None:
        _check_pattern(document, ("version_pattern",), manifest.version_pattern)
        if re.fullmatch(manifest.version_pattern, ""):
            raise document.wrong(("version_pattern",), "fits an empty version: every charge point would seem to run it")
    if manifest.release < 0:
        raise document.wrong(("release",), f"is {manifest.release}, expected 0 or more")
    if manifest.version is not None:
        for model in manifest.models:
            if not normaliser_for(manifest, model).apply(manifest.version):
                raise document.wrong(("normalise",), f"leaves nothing of {manifest.version!r} for {model}")


def _check_rules(document: Document, manifest: Manifest) -> None:
    for model, rule in manifest.normalise.items():
        _check_pattern(document, ("normalise", model, "strip"), rule.strip)
    rule_of_hardware = manifest.hardware_from
    if rule_of_hardware is not None:
        if rule_of_hardware.field not in ("model", "serial_number"):
            raise document.wrong(("hardware_from", "field"), f"is {rule_of_hardware.field!r}, expected model or serial_number")
        _check_pattern(document, ("hardware_from", "pattern"), rule_of_hardware.pattern)


def _check_pattern(document: Document, path: Path, pattern: str) -> None:
    if len(pattern) > MAX_PATTERN:
        raise document.wrong(path, f"has more than {MAX_PATTERN} characters")
    if _NESTED.search(pattern):
        raise document.wrong(path, "repeats a group that repeats itself, which can take for ever: write it without")
    try:
        re.compile(pattern)
    except re.error as error:
        raise document.wrong(path, f"is not a regular expression: {error}") from error


_NESTED = re.compile(r"[*+}]\)[*+{]")
"""Such as (a+)+. Versions have at most 50 characters, and this is what makes a short text slow."""


def _check_signature(document: Document, manifest: Manifest) -> None:
    if (manifest.signature is None) != (manifest.signing_certificate is None):
        key = "signature" if manifest.signature is not None else "signing_certificate"
        raise document.wrong((key,), "signature and signing_certificate belong together")
    if manifest.signature is not None:
        if len(manifest.signature) > MAX_SIGNATURE:
            raise document.wrong(("signature",), f"has {len(manifest.signature)} characters, OCPP takes {MAX_SIGNATURE}")
        try:
            base64.b64decode(manifest.signature, validate=True)
        except binascii.Error as error:
            raise document.wrong(("signature",), "is not base64") from error
    if manifest.signing_certificate is not None and len(manifest.signing_certificate) > MAX_CERTIFICATE:
        count = len(manifest.signing_certificate)
        raise document.wrong(("signing_certificate",), f"has {count} characters, OCPP takes {MAX_CERTIFICATE}")


def _check_lists(document: Document, manifest: Manifest) -> None:
    for at, name in enumerate(manifest.protocols):
        if name not in tuple(Protocol):
            raise document.wrong(("protocols", at), f"is {name!r}, expected {', '.join(Protocol)}")
    if manifest.sha256 is not None and not _SHA256.fullmatch(manifest.sha256):
        raise document.wrong(("sha256",), "is not 64 hexadecimal digits")
    if manifest.size_bytes is not None and manifest.size_bytes < 1:
        raise document.wrong(("size_bytes",), f"is {manifest.size_bytes}, expected 1 or more")


def check_file(manifest: Manifest, source: str, sha256: str, size_bytes: int) -> None:
    """Is this the file that the manifest means? Raises InvalidFile."""
    if manifest.size_bytes is not None and manifest.size_bytes != size_bytes:
        raise InvalidFile(source, None, "size_bytes", f"is {manifest.size_bytes}, the file has {size_bytes} bytes")
    if manifest.sha256 is not None and manifest.sha256.lower() != sha256:
        raise InvalidFile(source, None, "sha256", f"is {manifest.sha256.lower()}, the file's is {sha256}")
