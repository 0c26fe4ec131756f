"""Security profiles 2 and 3 (OCPP 1.6 security whitepaper, 2.0.1 A00): TLS with a password, and certificates on both sides."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import websockets

from tests.support.logins import basic, enters, is_refused, profile_of, with_password
from tests.support.papers import Papers
from tests.support.platform import RunningPlatform

TLS_SETTINGS = """
[collector]
transport = "{transport}"
security_profile = {profile}
tls_cert = "{folder}/server.pem"
tls_key = "{folder}/server.key"
{more}
"""


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Made once: keys are slow."""
    return Papers(tmp_path_factory.mktemp("papers"))


class OverTls:
    """A platform that listens with TLS, and the certificates around it."""

    def __init__(self, platform: RunningPlatform, papers: Papers) -> None:
        self.platform, self.papers = platform, papers
        self.url = platform.url.replace("ws://127.0.0.1", "wss://localhost")


def tls_platform(folder: Path, papers: Papers, transport: str, profile: int) -> RunningPlatform:
    more = f'client_ca = "{papers.folder}/ca.pem"' if profile == 3 else ""
    text = TLS_SETTINGS.format(transport=transport, profile=profile, folder=papers.folder, more=more)
    (folder / "settings.toml").write_text(text)
    return RunningPlatform(folder / "data", "--config", str(folder / "settings.toml"))


@pytest.fixture(scope="module", params=["picows", "websockets"])
def profile_2(request: pytest.FixtureRequest, papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OverTls]:
    """TLS and a password, on each transport."""
    with tls_platform(tmp_path_factory.mktemp("tls"), papers, request.param, 2) as running:
        yield OverTls(running, papers)


@pytest.fixture(scope="module", params=["picows", "websockets"])
def profile_3(request: pytest.FixtureRequest, papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OverTls]:
    """Mutual TLS, on each transport."""
    with tls_platform(tmp_path_factory.mktemp("mutual"), papers, request.param, 3) as running:
        yield OverTls(running, papers)


async def test_profile_2_is_a_password_over_tls(profile_2: OverTls) -> None:
    """The server proves itself by its certificate, the charge point by its password; nobody comes without one."""
    tls, url = profile_2.papers.client(), profile_2.url
    password = await with_password(profile_2.platform, "SAFE")
    await enters(url, "SAFE", ssl=tls, additional_headers=basic("SAFE", password))
    assert await profile_of(profile_2.platform, "SAFE") == 2
    assert (await is_refused(url, "SAFE", ssl=tls)).status_code == 401
    assert (await is_refused(url, "STRANGER", ssl=tls, additional_headers=basic("STRANGER", "x" * 20))).status_code == 401
    with pytest.raises(ssl.SSLCertVerificationError):
        await enters(url, "SAFE", ssl=ssl.create_default_context(), additional_headers=basic("SAFE", password))


async def test_profile_2_has_no_door_without_tls(profile_2: OverTls) -> None:
    """Plain WebSocket on the same port goes nowhere."""
    with pytest.raises((websockets.InvalidMessage, OSError)):
        await enters(profile_2.platform.url, "SAFE")


async def test_profile_3_is_a_certificate_of_both(profile_3: OverTls) -> None:
    """The common name of the charge point's certificate is its id; no password is needed."""
    tls = profile_3.papers.client("CP-77")
    await enters(profile_3.url, "CP-77", ssl=tls)
    assert await profile_of(profile_3.platform, "CP-77") == 3
    refused = await is_refused(profile_3.url, "CP-78", ssl=tls)
    assert refused.status_code == 401, "the name of another"


async def test_profile_3_takes_no_password_instead(profile_3: OverTls) -> None:
    """The right password under a certificate of another name is not enough; without a certificate there is no TLS."""
    password = await with_password(profile_3.platform, "CP-79")
    headers = basic("CP-79", password)
    tls = profile_3.papers.client("CP-77")
    assert (await is_refused(profile_3.url, "CP-79", ssl=tls, additional_headers=headers)).status_code == 401
    with pytest.raises((ssl.SSLError, OSError, websockets.InvalidMessage)):
        await enters(profile_3.url, "CP-79", ssl=profile_3.papers.client(), additional_headers=headers)


async def test_profile_3_trusts_its_own_authority_only(profile_3: OverTls, tmp_path: Path) -> None:
    """A certificate with the right name from another authority is none."""
    foreign = Papers(tmp_path).client("CP-77")
    foreign.load_verify_locations(cafile=str(profile_3.papers.folder / "ca.pem"))
    with pytest.raises((ssl.SSLError, OSError, websockets.InvalidMessage)):
        await enters(profile_3.url, "CP-77", ssl=foreign)
