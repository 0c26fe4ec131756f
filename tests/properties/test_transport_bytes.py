"""What holds for any bytes: the upgrade parser, compression, the joining of fragments, the limiters."""

from __future__ import annotations

import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.credentials import Pepper, canonical, hash_generated, matches
from collector.limiters import Pace
from collector.transport import closing, deflate
from collector.transport.assembly import BINARY, CONTINUATION, TEXT, Assembly, Violation
from collector.transport.upgrade import MAX_HEAD_BYTES, Malformed, Request, read_request, switching
from tests.support.sockets import upgrade_request

LIMIT = 4096


@given(st.binary(max_size=LIMIT), st.integers(9, 15))
def test_what_is_compressed_inflates(message: bytes, bits: int) -> None:
    """Inflating what was compressed gives the message, with any window that a peer may ask for."""
    agreed = deflate.negotiate(f"permessage-deflate; server_max_window_bits={bits}")
    assert agreed is not None
    packed = agreed.compress(message)
    assert deflate.inflate(packed, LIMIT) == message
    assert zlib.decompressobj(-bits).decompress(packed + b"\x00\x00\xff\xff") == message


@given(st.binary(max_size=200), st.integers(0, 500))
def test_inflating_any_bytes(packed: bytes, limit: int) -> None:
    """Anything at all inflates within the limit, or is Corrupt or TooBig: nothing else happens."""
    try:
        assert len(deflate.inflate(packed, limit)) <= limit
    except (deflate.Corrupt, deflate.TooBig) as refused:
        assert isinstance(refused, Exception)


@given(st.binary(max_size=500))
def test_a_final_block_is_allowed(message: bytes) -> None:
    """A peer that ends its deflate stream, as RFC 7692 §7.2.3.4 allows, is understood."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    final = packer.compress(message) + packer.flush(zlib.Z_FINISH) + b"\x00"
    assert deflate.inflate(final, LIMIT) == message
    with pytest.raises(deflate.Corrupt):
        deflate.inflate(final + b"more after the end", LIMIT)


@given(st.text(st.characters(codec="latin-1"), max_size=200))
def test_any_extension_header(header: str) -> None:
    """No header makes the negotiation fail; what it agrees to is always without context takeover."""
    agreed = deflate.negotiate(header)
    assert agreed is None or "server_no_context_takeover; client_no_context_takeover" in agreed.answer
    assert deflate.negotiate(f"permessage-deflate, {header}") is not None


@given(st.binary(max_size=600))
def test_any_request(data: bytes) -> None:
    """Any bytes are incomplete, malformed or a request; malformed ones have an HTTP answer ready."""
    for head in (data, data + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + data + b"\r\n\r\n"):
        try:
            found = read_request(head)
        except Malformed as wrong:
            assert wrong.response.startswith(b"HTTP/1.1 4") or wrong.response.startswith(b"HTTP/1.1 505")
        else:
            assert found is None or isinstance(found[0], Request)


@given(st.integers(1, 300), st.binary(max_size=50))
def test_a_request_in_pieces(cut: int, after: bytes) -> None:
    """A request is found as soon as it is whole, not before, and what follows it is left alone."""
    whole = upgrade_request("/ocpp/CP1", Sec_WebSocket_Protocol="ocpp1.6, ocpp2.0.1")
    assert read_request(whole[: min(cut, len(whole) - 1)]) is None
    found = read_request(whole + after)
    assert found is not None
    assert (found[0].path, found[0].subprotocols, found[1]) == ("/ocpp/CP1", ("ocpp1.6", "ocpp2.0.1"), len(whole))


def test_an_endless_head() -> None:
    """A head that does not end is refused at 16 KiB."""
    with pytest.raises(Malformed, match="16384"):
        read_request(b"GET /" + b"x" * MAX_HEAD_BYTES)


def test_the_accept_key_of_the_rfc() -> None:
    """RFC 6455 §1.3's own example."""
    found = read_request(upgrade_request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ=="))
    assert found is not None
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in switching(found[0], None, None)


def test_a_path_that_is_not_ascii() -> None:
    """Raw UTF-8 in a request target is percent-encoded, as it should have been."""
    found = read_request(upgrade_request("/ocpp/Säule"))
    assert found is not None
    assert found[0].path == "/ocpp/S%C3%A4ule"


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300), st.lists(st.integers(0, 300)), st.booleans())))
def test_fragments_come_back_as_messages(messages: list[tuple[int, bytes, list[int], bool]]) -> None:
    """However messages are cut, and compressed or not, each comes back once, with its kind and content."""
    assembly = Assembly(LIMIT, packs=True)
    for kind, message, cuts, packs in messages:
        sent = deflate.Deflate(12, "").compress(message) if packs else message
        bounds = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
        pieces = [sent[start:end] for start, end in itertools.pairwise(bounds)]
        for number, piece in enumerate(pieces):
            last, first = number == len(pieces) - 1, number == 0
            result = assembly.add(kind if first else CONTINUATION, last, packs and first, piece)
            assert result == ((kind, message) if last else None)
    assert not assembly.open


FRAMES = st.tuples(st.sampled_from([CONTINUATION, TEXT, BINARY]), st.booleans(), st.booleans(), st.binary(max_size=60))


@given(st.lists(FRAMES, max_size=12), st.booleans())
def test_any_frames(frames: list[tuple[int, bool, bool, bytes]], packs: bool) -> None:
    """Any frames make messages within the limit or a Violation with a code that may be sent."""
    assembly = Assembly(100, packs)
    for arrived in frames:
        try:
            result = assembly.add(*arrived)
        except Violation as broken:
            assert broken.code in (closing.PROTOCOL_ERROR, closing.TOO_BIG)
            return
        assert result is None or len(result[1]) <= 100
        assert assembly.open is not arrived[1]


@given(st.text(max_size=200))
def test_any_close_reason_fits(reason: str) -> None:
    """A reason is cut to 123 bytes, between characters."""
    raw = closing.reason_bytes(1000, reason.encode(errors="ignore").decode())
    assert len(raw) <= 123
    assert reason.encode(errors="ignore").decode().startswith(raw.decode())


@given(st.floats(0.5, 500), st.integers(1, 200), st.lists(st.floats(0, 2), max_size=150))
def test_a_pace_is_kept(rate: float, burst: int, gaps: list[float]) -> None:
    """A connection that waits as told never reads more than the burst plus the rate, over any stretch from its first frame."""
    pace, now, taken, wait_s = Pace(rate, burst), 100.0, 0, 0.0
    for gap in gaps:
        now += max(gap, wait_s)
        wait_s, taken = pace.take(now), taken + 1
        assert taken <= burst + rate * (now - 100.0) + 1e-3


@given(st.binary(max_size=60))
def test_canonical_passwords(password: bytes) -> None:
    """A password and its canonical form fit the same hash; the canonical form is its own."""
    pepper = Pepper(b"p" * 32)
    stored = hash_generated(password.hex(), pepper)
    assert canonical(canonical(password)) == canonical(password) or len(canonical(password)) < 32
    assert matches(password.hex().encode(), stored, pepper)
    capitals = password.hex().upper()
    assert matches(capitals.encode(), stored, pepper) is (16 <= len(password) <= 20 or capitals == password.hex())
