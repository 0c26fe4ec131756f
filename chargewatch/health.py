"""`python -m chargewatch.health URL [TOKEN_FILE]`: does a probe answer well? For the health check of a container.

Imports nothing but the standard library: it is run every half minute.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_S = 8.0


def ask(url: str, token: str | None = None) -> str:
    """What is wrong, "" for nothing. Blocking."""
    if not url.startswith(("http://", "https://")):
        return f"{url} is no URL that begins with http:// or https://"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 - checked above
            return ""
    except urllib.error.HTTPError as error:
        return f"{url} answers {error.code}: {error.read(1000).decode(errors='replace')}"
    except OSError as error:
        return f"{url} does not answer: {error}"


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 well, 1 not, 2 wrong arguments. What is wrong goes to standard error, never the token."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m chargewatch.health URL [TOKEN_FILE]", file=sys.stderr)  # noqa: T201 - a command
        return 2
    try:
        token = Path(arguments[1]).read_text(encoding="utf-8").strip() if len(arguments) == 2 else None
        problem = ask(arguments[0], token)
    except OSError as error:
        problem = f"{arguments[1]} cannot be read: {error.strerror}"
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201 - a command
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
