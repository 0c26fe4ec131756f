"""When a month is billed by itself. Decided here: the instant in each zone; APScheduler's cron trigger knows clock changes."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from billing_reports.plans import month_of


def month_before(month: date) -> date:
    """The first day of the month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def due_month(now: datetime, time_zone: str, day: int, hour: int) -> date | None:
    """The month that is to be billed in a zone: the last one, once `day` of this month at local `hour` has come; None before."""
    zone = ZoneInfo(time_zone)
    this = month_of(now, zone)
    begin = datetime(this.year, this.month, 1, tzinfo=zone)
    fires_at: datetime = CronTrigger(day=day, hour=hour, minute=0, timezone=zone).get_next_fire_time(None, begin)
    return month_before(this) if fires_at <= now else None
