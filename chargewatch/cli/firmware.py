"""`chargewatch firmware`: firmware files, from the maker's file to the approval. Rollouts are `chargewatch rollout`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from chargewatch.cli.charge_points import Limit
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.firmware_demo import demo_images
from chargewatch.cli.http import path
from chargewatch.cli.output import console, facts, listing, note, print_json, size
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target
from chargewatch.shapes import FirmwareShown
from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.manifest_file import parse_manifest

app = typer.Typer(no_args_is_help=True, help="Firmware files: add, list, show, approve.")
FirmwareId = Annotated[str, typer.Argument(metavar="FIRMWARE", help="The name in its manifest, as `firmware list` shows it.")]
_COLUMNS = ("firmware", "vendor", "models", "version", "size→", "signature", "approved", "added")


@app.command()
def add(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The firmware, as it is sent.")
    ],
    manifest: Annotated[
        Path,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, readable=True, help="What the maker says of it, YAML or JSON."),
    ],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Add a firmware file. Its hash and size are pinned, and its signature is tried.

    Example: chargewatch firmware add acme-2.4.1.bin --manifest acme-2.4.1.yaml
    """
    text = _text(manifest)
    parse_manifest(text, manifest.name)  # a mistake is found before a gigabyte is sent
    with Target(data, api, key, config).client() as client, file.open("rb") as opened:
        files = {"manifest": (manifest.name, text.encode(), "application/yaml"), "file": (file.name, opened)}
        shown = msgspec.json.decode(client.call("POST", "/firmware", files=files, timeout=None), type=FirmwareShown)
    if json:
        print_json(shown)
        return
    artifact = shown.artifact
    note(f"firmware {artifact.artifact_id} is there, {size(artifact.size_bytes)}, sha256 {artifact.sha256}")
    note(f"signature: {artifact.signature_check.sentence}")
    note(_approval(shown))


@app.command("list")
def list_(
    limit: Limit = 10_000, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """List firmware files, newest first.

    Example: chargewatch firmware list
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(FirmwareShown, "/firmware", limit)
    rows = (
        (
            each.artifact.artifact_id,
            each.artifact.manifest.vendor,
            each.artifact.manifest.models,
            each.artifact.version,
            size(each.artifact.size_bytes),
            each.artifact.signature_check.scheme,
            f"{each.approvals_that_count} of {each.artifact.approvals_needed}",
            each.artifact.added_at,
        )
        for each in page.items
    )
    listing(page, _COLUMNS, rows, as_json=json, nothing="there is no firmware: add one with `chargewatch firmware add`")


@app.command()
def show(
    firmware: FirmwareId, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Show a firmware file: what it fits, its hash, its signature, who approved it.

    Example: chargewatch firmware show acme-2.4.1
    """
    with Target(data, api, key, config).client() as client:
        shown = client.get(FirmwareShown, path("firmware", firmware))
    if json:
        print_json(shown)
    else:
        console().print(described(shown.artifact))
        note(_approval(shown))


@app.command()
def approve(
    firmware: FirmwareId, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Say yes to a firmware file with this key; rollouts may use it once enough keys did.

    Example: chargewatch firmware approve acme-2.4.1
    """
    with Target(data, api, key, config).client() as client:
        shown = msgspec.json.decode(client.call("POST", path("firmware", firmware, "approvals")), type=FirmwareShown)
    if json:
        print_json(shown)
    else:
        note(_approval(shown))


def described(artifact: Artifact) -> Table:
    """All that is known of an artifact, for people."""
    manifest = artifact.manifest
    return facts(
        (
            ("firmware", artifact.artifact_id),
            ("file", artifact.file_name),
            ("size", size(artifact.size_bytes)),
            ("sha256", artifact.sha256),
            ("vendor", manifest.vendor),
            ("models", manifest.models),
            ("hardware", manifest.hardware or "any"),
            ("version", artifact.version),
            ("release", manifest.release),
            ("goes on", manifest.from_versions or "any version"),
            ("must pass through", manifest.must_pass_through),
            ("downgrade", "allowed" if manifest.downgrade_allowed else "not allowed"),
            ("protocols", manifest.protocols or "any"),
            ("signature", artifact.signature_check.sentence),
            ("added", artifact.added_at),
            ("added by", artifact.added_by),
            *((f"approved by {each.who}", each.approved_at) for each in artifact.approvals),
        )
    )


def _approval(shown: FirmwareShown) -> str:
    count, needed = shown.approvals_that_count, shown.artifact.approvals_needed
    if shown.approved:
        return f"approved by {count} of {needed}: rollouts may use it"
    whose = " with another key" if count else ""
    return f"approved by {count} of {needed}: next is `chargewatch firmware approve {shown.artifact.artifact_id}`{whose}"


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise CommandFailed(f"{file}: is not UTF-8 text", Exit.USAGE) from None


app.command("demo-images")(demo_images)
