"""What a start of the platform must not pay for: libraries that a weekly batch, a document or one receiver needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("sklearn", "scipy", "apprise", "reportlab", "matplotlib", "drafthorse")


@pytest.mark.timeout(120)
def test_heavy_libraries_wait_until_they_are_needed() -> None:
    """`chargewatch up` imports none of them."""
    code = f"import sys, chargewatch.app; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
