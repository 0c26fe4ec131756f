"""PullDynamicScheduleUpdate, OCPP 2.1 block K: rejected, because we have set no dynamic schedule that could have an update."""

from __future__ import annotations

from collector.handlers.v201.reports import refusal, report

handle = report("PullDynamicScheduleUpdate", refusal("Rejected", "NotFound", "no dynamic charging profile was set from here"))
