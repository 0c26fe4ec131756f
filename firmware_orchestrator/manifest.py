"""What the maker says of a firmware file: for whom it is, which version it brings, and what must hold before. Decided here: what a
manifest means; not how one is read (manifest_file.py), nor whether its signature holds (signature.py).

The split is Uptane's: what an image fits is said by the image's side, so that a mistaken rollout cannot send it elsewhere.
"""

from __future__ import annotations

import fnmatch
import re

import msgspec


class Normaliser(msgspec.Struct, frozen=True, kw_only=True):
    """How the versions that a model reports are made comparable, in this order; the raw text is kept elsewhere."""

    trim: bool = True
    ignore_case: bool = True
    strip_prefix: str = ""
    """Taken off the front, e.g. "v"."""
    strip: str = ""
    """A regular expression: what it matches is taken out, e.g. a build suffix."""

    def apply(self, version: str) -> str:
        """The version in the form that is compared."""
        text = version.strip() if self.trim else version
        prefix = self.strip_prefix
        begins = text.lower().startswith(prefix.lower()) if self.ignore_case else text.startswith(prefix)
        if prefix and begins:
            text = text[len(prefix) :]
        if self.strip:
            text = re.sub(self.strip, "", text, flags=re.IGNORECASE if self.ignore_case else 0)
        text = text.strip() if self.trim else text
        return text.casefold() if self.ignore_case else text


PLAIN = Normaliser()


class HardwareRule(msgspec.Struct, frozen=True, kw_only=True):
    """Where the hardware revision of a charge point is read, as OCPP's BootNotification has no field for it."""

    field: str
    """`model` or `serial_number`."""
    pattern: str
    """A regular expression; its first group (or else all of it) is the revision."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A firmware file, as its maker describes it. Patterns of versions are globs (`2.3.*`) on normalised versions."""

    name: str
    """Names the artifact from now on, e.g. acme-2.4.1."""
    vendor: str
    models: tuple[str, ...]
    """Globs, compared without case."""
    hardware: tuple[str, ...] = ()
    """Hardware revisions it fits; empty: all."""
    hardware_from: HardwareRule | None = None
    version: str | None = None
    """What a charge point reports once it runs this; or else `version_pattern`."""
    version_pattern: str | None = None
    """A regular expression for the whole normalised version."""
    normalise: dict[str, Normaliser] = {}
    """By model (glob); the first that fits, else trimmed and without case."""
    from_versions: tuple[str, ...] = ()
    """Versions from which it may be installed; empty: any."""
    must_pass_through: tuple[str, ...] = ()
    """Versions that older charge points must install first, see eligibility.py."""
    release: int
    """Counts up with every release of the maker's; a smaller one than the running image's is a downgrade."""
    releases: dict[str, int] = {}
    """Release counters of older versions, as far as the maker says them: version glob → counter."""
    downgrade_allowed: bool = False
    protocols: tuple[str, ...] = ()
    """OCPP versions it can be installed over (ocpp1.6, ocpp2.0.1, ocpp2.1); empty: all."""
    signature: str | None = None
    """Base64, opaque: sent as it is."""
    signing_certificate: str | None = None
    """PEM, opaque: sent as it is."""
    sha256: str | None = None
    """Of the file; checked at adding, where given."""
    size_bytes: int | None = None

    @property
    def target_version(self) -> str:
        """The expected version, for people."""
        return self.version if self.version is not None else f"/{self.version_pattern}/"

    @property
    def signed(self) -> bool:
        """Can the signed form of the command be sent?"""
        return self.signature is not None and self.signing_certificate is not None


def normaliser_for(manifest: Manifest, model: str | None) -> Normaliser:
    """The rule for versions of `model`."""
    return next((rule for glob, rule in manifest.normalise.items() if fits(glob, model or "")), PLAIN)


def is_expected(manifest: Manifest, model: str | None, reported: str | None) -> bool:
    """Does a charge point of `model` that reports this version run the image of `manifest`? Nothing reported: no."""
    if reported is None:
        return False
    rule = normaliser_for(manifest, model)
    version = rule.apply(reported)
    if manifest.version is not None:
        return version == rule.apply(manifest.version)
    flags = re.IGNORECASE if rule.ignore_case else 0
    return manifest.version_pattern is not None and re.fullmatch(manifest.version_pattern, version, flags) is not None


def same_version(manifest: Manifest, model: str | None, one: str | None, other: str | None) -> bool:
    """Are two reported versions the same one, once normalised? Unknown ones never are."""
    if one is None or other is None:
        return False
    rule = normaliser_for(manifest, model)
    return rule.apply(one) == rule.apply(other)


def fits(glob: str, text: str) -> bool:
    """A glob without regard to case."""
    return fnmatch.fnmatchcase(text.strip().casefold(), glob.strip().casefold())
