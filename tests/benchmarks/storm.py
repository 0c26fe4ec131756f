"""A storm of charge points that connect at once and then say one thing: `python -m tests.benchmarks.storm PORT COUNT [CA]`.

Plain sockets and prepared bytes, so that the load is cheaper than the server. Prints a JSON line when all are connected
(seconds, failures); then, for each line on its standard input, one when all were answered: a MeterValues, then one of 60 kB. Holds
the connections until its standard input ends.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import ssl
import sys
import time

from tests.benchmarks.load import meter_values

IN_FLIGHT = 512
_REQUEST = (
    b"GET /ocpp/STORM-%06d HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\nUser-Agent: storm\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\nAuthorization: Basic U1RPUk06c2VjcmV0\r\n\r\n"
)


_ANSWER = b'[3,"1",{}]'
_PING, _PONG = b"\x89\x00", b"\x8a\x80\0\0\0\0"


def one_message(filling: str = "") -> bytes:
    """One MeterValues frame, masked with zeros; `filling` makes it larger."""
    action, payload = meter_values(1)
    text = json.dumps([2, "1", action, payload, filling], separators=(",", ":")).encode()
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + b"\0\0\0\0" + text


def connect_all(port: int, count: int) -> tuple[list[socket.socket], int]:
    """`count` upgraded connections, up to IN_FLIGHT of them at a time under way."""
    opening: dict[int, tuple[socket.socket, int]] = {}
    opened: list[socket.socket] = []
    poll, made, failed = select.epoll(), 0, 0
    while len(opened) + failed < count:
        while made < count and len(opening) < IN_FLIGHT:
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            opening[sock.fileno()] = (sock, made)
            poll.register(sock.fileno(), select.EPOLLOUT)
            made += 1
        for number, event in poll.poll(10):
            sock, index = opening[number]
            if event & select.EPOLLOUT:
                sock.send(_REQUEST % index)
                poll.modify(number, select.EPOLLIN)
                continue
            poll.unregister(number)
            del opening[number]
            if sock.recv(4096).startswith(b"HTTP/1.1 101"):
                opened.append(sock)
            else:
                failed += 1
    return opened, failed


def connect_all_tls(port: int, count: int, ca: str) -> tuple[list[socket.socket], int]:
    """One after the other: the handshake is the cost."""
    context = ssl.create_default_context(cafile=ca)
    opened: list[socket.socket] = []
    for index in range(count):
        plain = socket.create_connection(("127.0.0.1", port))
        plain.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # 60 kB are four TLS records: Nagle holds the last one for 40 ms
        sock = context.wrap_socket(plain, server_hostname="localhost")
        sock.sendall(_REQUEST % index)
        if not sock.recv(4096).startswith(b"HTTP/1.1 101"):
            return opened, count - index
        opened.append(sock)
    return opened, 0


def say(opened: list[socket.socket], message: bytes) -> None:
    """Each sends it and waits for its answer. Raises ConnectionError when one is closed instead."""
    for number, sock in enumerate(opened):
        sock.setblocking(True)
        sock.sendall(message)
        heard = b""
        while not heard.endswith(_ANSWER):
            more = sock.recv(4096)
            if not more:
                raise ConnectionError(f"connection {number} of {len(opened)} was closed after {heard!r}")
            heard += more
        if heard.startswith(_PING):  # it waited so long for its turn that the server asked whether it is there
            sock.sendall(_PONG)


def main(port: int, count: int, *ca: str) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    started = time.perf_counter()
    opened, failed = connect_all_tls(port, count, ca[0]) if ca else connect_all(port, count)
    print(json.dumps({"connected": len(opened), "failed": failed, "seconds": round(time.perf_counter() - started, 3)}), flush=True)
    for message in (one_message(), one_message("x" * 60_000)):
        sys.stdin.readline()
        started = time.perf_counter()
        say(opened, message)
        print(json.dumps({"answered": len(opened), "seconds": round(time.perf_counter() - started, 3)}), flush=True)
    sys.stdin.read()
    os._exit(0)  # closing ten thousand sockets one by one is no part of the measurement


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
