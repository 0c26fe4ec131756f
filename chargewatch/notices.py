"""Where notices go while no relay takes them: into the log, one line each. Decided here: nothing but that line."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chargenet.model.notice import Notice, Severity

log = logging.getLogger(__name__)


class LoggedNotices:
    """Implements `chargenet.ports.Notices`."""

    async def tell(self, notices: Sequence[Notice]) -> None:
        """What is urgent is a warning; what is over or for information is not."""
        for each in notices:
            urgent = each.severity in (Severity.CRITICAL, Severity.WARNING) and each.resolved_at is None
            log.log(logging.WARNING if urgent else logging.INFO, "%s: %s. %s", each.kind, each.title, each.text)
