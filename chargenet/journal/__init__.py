"""Every accepted frame and its reply, durable before the reply leaves. The spine that all read models are rebuilt from."""

from chargenet.journal.follow import FollowedJournal
from chargenet.journal.journal import SegmentJournal
from chargenet.journal.memory import MemoryJournal
from chargenet.journal.options import JournalOptions

__all__ = ["FollowedJournal", "JournalOptions", "MemoryJournal", "SegmentJournal"]
