"""Every metric family that chargewatch exposes, as data. Decided here: names, types, units, labels, and when a value is stale.

Code refers to these constants, docs/metrics.md is written from them (`reference.py`), boards and rules are checked against them.
Energy is in watt-hours, not joules, and in one unbroken word, `watthours`: see docs/adr/0009.
Never a label: an ID token, a transaction id, a message id, free text of a charge point that is not bounded by `Interner`.

Longer than other files: it is one catalogue, and a second place to look for a name would be the worse rule to break.
"""

from __future__ import annotations

import msgspec

LIVE_HORIZON_S = 1200.0
"""A live value not refreshed for this long is dropped: one clock-aligned interval of 15 minutes and some slack."""
REGISTER_HORIZON_S = 86_400.0
"""A lifetime register stays true while nothing is charged; one day without a word, and it is dropped as well."""
OFFLINE_HORIZON_S = 900.0
"""A charge point that has been gone for this long no longer has a known status."""

CONNECTOR = ("site", "charge_point", "connector")
POINT = ("site", "charge_point")
SITE = ("site",)
MODEL = ("vendor", "model")
FIRMWARE = ("vendor", "model", "firmware")

FAST_BUCKETS = (0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
WAIT_BUCKETS = (0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Family(msgspec.Struct, frozen=True):
    """One metric family. `kind` is gauge, counter or histogram; `source` says who sets it; `horizon_s` when a value is dropped."""

    name: str
    kind: str
    labels: tuple[str, ...]
    unit: str
    source: str
    help: str
    horizon_s: float | None = None
    buckets: tuple[float, ...] = ()


def _gauge(name: str, labels: tuple[str, ...], unit: str, source: str, text: str, horizon_s: float | None = None) -> Family:
    return Family(name, "gauge", labels, unit, source, text, horizon_s)


def _counter(name: str, labels: tuple[str, ...], unit: str, source: str, text: str, horizon_s: float | None = None) -> Family:
    return Family(name, "counter", labels, unit, source, text, horizon_s)


def _histogram(name: str, labels: tuple[str, ...], source: str, text: str, buckets: tuple[float, ...] = WAIT_BUCKETS) -> Family:
    return Family(name, "histogram", labels, "seconds", source, text, None, buckets)


# A family reads best on two or three lines.
# fmt: off
_LIVE = "fleet: measurements"

CONNECTOR_STATUS = _gauge(
    "chargewatch_connector_status", (*CONNECTOR, "status"), "", "fleet: status reports",
    "The status that the connector has now, value 1; other statuses have no series.", OFFLINE_HORIZON_S,
)
CONNECTOR_ERROR = _gauge(
    "chargewatch_connector_error", (*CONNECTOR, "error_code", "vendor_error_code"), "", "fleet: status reports",
    "The error that the connector reports now, value 1; no series without an error.", OFFLINE_HORIZON_S,
)
CONNECTOR_POWER = _gauge(
    "chargewatch_connector_power_watts", CONNECTOR, "watts", _LIVE,
    "Active power drawn at the connector; the sum of its phases where no total is reported.", LIVE_HORIZON_S,
)
CONNECTOR_CURRENT = _gauge(
    "chargewatch_connector_current_amperes", (*CONNECTOR, "phase"), "amperes", _LIVE,
    "Current drawn, by phase; no phase label where the charge point names none.", LIVE_HORIZON_S,
)
CONNECTOR_VOLTAGE = _gauge(
    "chargewatch_connector_voltage_volts", (*CONNECTOR, "phase"), "volts", _LIVE,
    "Voltage, by phase; no phase label where the charge point names none.", LIVE_HORIZON_S,
)
CONNECTOR_ENERGY = _counter(
    "chargewatch_connector_energy_register_watthours_total", CONNECTOR, "watt-hours", _LIVE,
    "Lifetime register of active energy imported, as the meter counts it.", REGISTER_HORIZON_S,
)
CONNECTOR_TEMPERATURE = _gauge(
    "chargewatch_connector_temperature_celsius", (*CONNECTOR, "location"), "degrees Celsius", _LIVE,
    "Temperature, by where it is measured (Outlet, Inlet, Body, Cable, EV).", LIVE_HORIZON_S,
)
CONNECTOR_SOC = _gauge(
    "chargewatch_connector_soc_ratio", CONNECTOR, "ratio", _LIVE,
    "State of charge of the vehicle, 0 to 1.", LIVE_HORIZON_S,
)
CONNECTOR_SESSION_ENERGY = _gauge(
    "chargewatch_connector_session_energy_watthours", CONNECTOR, "watt-hours", "fleet: transactions",
    "Energy of the running transaction: last register minus the register at its start.", REGISTER_HORIZON_S,
)
CONNECTOR_LAST_SEEN = _gauge(
    "chargewatch_connector_last_seen_timestamp_seconds", CONNECTOR, "seconds since the epoch", "fleet: any report",
    "When the connector was last heard of; its age is time() minus this.",
)

POINT_CONNECTED = _gauge(
    "chargewatch_charge_point_connected", POINT, "", "fleet: connections", "1 while the charge point is connected, else 0.",
)
POINT_LAST_FRAME = _gauge(
    "chargewatch_charge_point_last_frame_timestamp_seconds", POINT, "seconds since the epoch", "fleet: any frame",
    "When the last frame came from the charge point; its age is time() minus this.",
)
POINT_BOOTS = _counter(
    "chargewatch_charge_point_boots_total", POINT, "", "fleet: boot notifications", "Boot notifications since this process began.",
)
POINT_SECURITY_EVENTS = _counter(
    "chargewatch_charge_point_security_events_total", POINT, "", "fleet: security events",
    "Security events of the charge point since this process began.",
)
POINT_UPLOADS = _counter(
    "chargewatch_charge_point_uploads_total", POINT, "", "fleet: diagnostics",
    "Diagnostics files received from the charge point since this process began.",
)
POINT_INFO = _gauge(
    "chargewatch_charge_point_info", (*POINT, "vendor", "model", "firmware", "protocol"), "", "fleet: boot notifications",
    "What the charge point is, value 1.",
)

SITE_POINTS = _gauge("chargewatch_site_charge_points", SITE, "", "fleet: summed at scrape", "Charge points of the site.")
SITE_CONNECTED = _gauge(
    "chargewatch_site_charge_points_connected", SITE, "", "fleet: summed at scrape", "Connected charge points of the site.",
)
SITE_CONNECTORS = _gauge(
    "chargewatch_site_connectors", (*SITE, "status"), "", "fleet: summed at scrape",
    "Connectors of the site by status; Unknown where none is known any more. No series for a status that no connector has.",
)
SITE_POWER = _gauge(
    "chargewatch_site_power_watts", SITE, "watts", "fleet: summed at scrape", "Power drawn at the site, of all fresh values.",
)
SITE_TRANSACTIONS = _gauge(
    "chargewatch_site_active_transactions", SITE, "", "fleet: summed at scrape", "Transactions running at the site.",
)
MODEL_POINTS = _gauge(
    "chargewatch_model_charge_points", MODEL, "", "fleet: summed at scrape", "Charge points of this vendor and model.",
)
MODEL_CONNECTED = _gauge(
    "chargewatch_model_charge_points_connected", MODEL, "", "fleet: summed at scrape",
    "Connected charge points of this vendor and model.",
)
MODEL_CONNECTORS = _gauge(
    "chargewatch_model_connectors", (*MODEL, "status"), "", "fleet: summed at scrape",
    "Connectors of this vendor and model by status.",
)
MODEL_POWER = _gauge(
    "chargewatch_model_power_watts", MODEL, "watts", "fleet: summed at scrape", "Power drawn through this vendor and model.",
)
MODEL_TRANSACTIONS = _gauge(
    "chargewatch_model_active_transactions", MODEL, "", "fleet: summed at scrape",
    "Transactions running on this vendor and model.",
)
FIRMWARE_POINTS = _gauge(
    "chargewatch_firmware_charge_points", FIRMWARE, "", "fleet: summed at scrape", "Charge points that run this firmware.",
)
FIRMWARE_CONNECTED = _gauge(
    "chargewatch_firmware_charge_points_connected", FIRMWARE, "", "fleet: summed at scrape",
    "Connected charge points that run this firmware.",
)
FIRMWARE_CONNECTORS = _gauge(
    "chargewatch_firmware_connectors", (*FIRMWARE, "status"), "", "fleet: summed at scrape",
    "Connectors by status on this firmware.",
)
FIRMWARE_POWER = _gauge(
    "chargewatch_firmware_power_watts", FIRMWARE, "watts", "fleet: summed at scrape", "Power drawn through this firmware.",
)
FIRMWARE_TRANSACTIONS = _gauge(
    "chargewatch_firmware_active_transactions", FIRMWARE, "", "fleet: summed at scrape", "Transactions running on this firmware.",
)

BUILD_INFO = _gauge("chargewatch_build_info", ("version",), "", "roof", "The version that runs, value 1.")
CONNECTIONS = _gauge(
    "chargewatch_connections", ("protocol", "security_profile"), "", "collector: connections",
    "Open connections by protocol and security profile.",
)
CONNECTIONS_OPENED = _counter(
    "chargewatch_connections_opened_total", ("protocol", "security_profile"), "", "collector: connections", "Connections accepted.",
)
CONNECTIONS_CLOSED = _counter(
    "chargewatch_connections_closed_total", ("protocol", "cause"), "", "collector: connections",
    "Connections ended: closed by the peer or us, lost (broken or silent), slow (it did not read), or superseded by a newer one.",
)
SOCKETS = _counter(
    "chargewatch_sockets_total", ("outcome",), "", "collector: transport",
    "TCP connections to the OCPP listener: accepted, and of these upgraded, refused, malformed, timed_out (slow upgrades), "
    "tls_failed, abandoned; out_of_sockets: times that none was left.",
)
UPGRADES_REFUSED = _counter(
    "chargewatch_upgrades_refused_total", ("reason",), "", "collector: connections", "WebSocket upgrades refused.",
)
LOGINS_REFUSED = _counter("chargewatch_logins_refused_total", (), "", "collector: connections", "Wrong or missing passwords.")
CALLS = _counter(
    "chargewatch_calls_total", ("protocol", "action"), "", "collector: connections", "Calls from charge points answered.",
)
CALL_ERRORS = _counter(
    "chargewatch_call_errors_total", ("protocol", "action", "error_code"), "", "collector: connections",
    "Calls from charge points answered with a call error.",
)
CALL_HANDLING = _histogram(
    "chargewatch_call_handling_seconds", ("protocol", "action"), "collector: connections",
    "From the frame's arrival to its durable answer.",
)
COMMANDS = _counter(
    "chargewatch_commands_total", ("action", "outcome"), "", "collector: gateway", "Calls to charge points by how they ended.",
)
COMMAND_ANSWER = _histogram(
    "chargewatch_command_answer_seconds", ("action",), "collector: gateway", "From sending a call until its answer.",
)
FRAMES_DEVIATED = _counter(
    "chargewatch_frames_deviated_total", ("quirk",), "", "collector: connections",
    "Frames that broke a rule of their protocol and were used all the same.",
)
FRAMES_REFUSED = _counter(
    "chargewatch_frames_refused_total", ("error_code",), "", "collector: connections",
    "Frames that could not be understood as a call; error_code none where no answer was possible.",
)
FRAMES_REPEATED = _counter(
    "chargewatch_frames_repeated_total", ("action",), "", "collector: connections", "Calls that repeated an earlier one.",
)
QUARANTINED = _counter(
    "chargewatch_quarantined_total", ("reason",), "", "collector: transactions",
    "Reports that could not be matched and were set aside.",
)
SECURITY_EVENTS = _counter("chargewatch_security_events_total", ("type",), "", "collector: connections", "Security events by type.")
JOURNAL_SEQUENCE = _gauge("chargewatch_journal_durable_sequence", (), "", "journal", "Sequence of the last durable record.")
JOURNAL_PENDING = _gauge("chargewatch_journal_pending_records", (), "", "journal", "Records appended that are not durable yet.")
JOURNAL_COMMITS = _counter("chargewatch_journal_commits_total", (), "", "journal", "Group commits.")
JOURNAL_RECORDS = _counter("chargewatch_journal_records_total", (), "", "journal", "Records made durable.")
JOURNAL_FSYNC = _histogram(
    "chargewatch_journal_fsync_seconds", (), "journal", "Time that one group commit waited for the disk.", WAIT_BUCKETS,
)
JOURNAL_BYTES = _gauge("chargewatch_journal_size_bytes", (), "bytes", "journal", "Size of the journal on disk.")
JOURNAL_HEALTHY = _gauge("chargewatch_journal_healthy", (), "", "journal", "1 while records can be made durable, else 0.")
DISK_FREE = _gauge("chargewatch_disk_free_bytes", (), "bytes", "roof", "Free space on the disk of the data folder.")
DISK_SIZE = _gauge("chargewatch_disk_size_bytes", (), "bytes", "roof", "Size of the disk of the data folder.")
PROJECTION_BEHIND = _gauge(
    "chargewatch_projection_behind_records", ("projection",), "", "projections",
    "Durable records that a read model has not taken in yet.",
)
PROJECTION_LAG = _gauge(
    "chargewatch_projection_lag_seconds", ("projection",), "seconds", "projections",
    "Age of the oldest record that a read model has not taken in yet; 0 when it is up to date.",
)
TELEMETRY_WRITTEN = _counter(
    "chargewatch_telemetry_rows_written_total", ("store",), "", "telemetry",
    "Rows written to the telemetry store.",
)
TELEMETRY_REJECTED = _counter(
    "chargewatch_telemetry_rows_rejected_total", ("store",), "", "telemetry",
    "Bad points set aside by the store.",
)
TELEMETRY_EXPIRED = _counter(
    "chargewatch_telemetry_rows_expired_total", ("store",), "", "telemetry",
    "Points that were older than the store keeps when they came, and were passed over.",
)
LOOP_LAG = _histogram(
    "chargewatch_loop_lag_seconds", (), "loop probe", "How late the event loop woke up.", FAST_BUCKETS,
)
LOOP_LAG_MAX = _gauge(
    "chargewatch_loop_lag_max_seconds", (), "seconds", "loop probe",
    "Worst lag of the event loop in the last minute.",
)
PROGRAM_BEHIND = _gauge(
    "chargewatch_program_behind_records", ("program",), "", "programs apart",
    "Durable records of the collector that a program in a process of its own has not fetched yet.",
)
PROGRAM_REACHES = _gauge(
    "chargewatch_program_reaches_collector", ("program",), "", "programs apart",
    "1 while a program in a process of its own gets answers from the collector.",
)
API_REQUESTS = _counter("chargewatch_api_requests_total", ("method", "route", "status"), "", "API", "HTTP requests answered.")
API_DURATION = _histogram("chargewatch_api_request_seconds", ("method", "route"), "API", "Time to answer an HTTP request.")
LOG_SUPPRESSED = _counter(
    "chargewatch_log_lines_suppressed_total", (), "", "logs",
    "Log lines held back because their kind came too often.",
)
FLEET_SERIES = _gauge("chargewatch_fleet_series", (), "", "fleet", "Series of charge points and connectors in the last scrape.")
FLEET_RENDER = _gauge(
    "chargewatch_fleet_render_seconds", (), "seconds", "fleet",
    "Time the last scrape took to write those series.",
)

# -- alerts

CASE = _gauge(
    "chargewatch_case", ("site", "charge_point", "connector", "group", "kind", "severity"), "ratio", "alerts: cases",
    "Each open case that nothing explains and no planned work hides; its value is how sure it is, 0 to 1.",
)
CASES_OPEN = _gauge(
    "chargewatch_cases_open", ("kind", "severity", "state"), "", "alerts: cases",
    "Unresolved cases; state: open, acknowledged, reopened, suppressed (a wider case explains it) or masked (planned work).",
)
CASE_CHANGES = _counter(
    "chargewatch_case_changes_total", ("what",), "", "alerts: cases", "What happened to cases since this process began.",
)
CASES_UNTOLD = _gauge("chargewatch_cases_untold", (), "", "alerts: cases", "Cases that the relay has not stored yet.")
ALERTS_BEHIND = _gauge(
    "chargewatch_alerts_behind_records", (), "", "alerts: loop", "Durable records that the detectors have not seen yet.",
)
ALERTS_JUDGING = _gauge(
    "chargewatch_alerts_judging_seconds", (), "seconds", "alerts: loop", "Time that the last look at the whole network took.",
)
ALERTS_WORKING = _gauge(
    "chargewatch_alerts_working", (), "", "alerts: loop", "1 while facts are judged and cases stored, else 0.",
)
_OUTCOMES = (
    "served, broken_off (served, and ended for a technical reason), rejected (the token), not_started, fault, no_energy, "
    "little_energy, unknown"
)
SITE_ATTEMPTS = _counter(
    "chargewatch_site_attempts_total", (*SITE, "outcome"), "", "alerts: attempts",
    f"Attempts to charge that ended at the site since this process began, by outcome: {_OUTCOMES}.",
)
FIRMWARE_ATTEMPTS = _counter(
    "chargewatch_firmware_attempts_total", (*FIRMWARE, "outcome"), "", "alerts: attempts",
    "The same by vendor, model and firmware.",
)

# -- the relay of alerts

ALERTS_OPEN = _gauge("chargewatch_alerts_open", ("severity",), "", "alert relay", "Alerts that the relay holds open.")
ALERTS_TAKEN = _counter(
    "chargewatch_alerts_taken_total", ("origin", "outcome"), "", "alert relay",
    "Alerts that came in: origin notice (our programs) or alertmanager; outcome taken, nothing_to_tell or refused.",
)
ALERTS_JUDGED = _counter(
    "chargewatch_alert_groups_judged_total", ("reason",), "", "alert relay",
    "Looks at a group of alerts, by why it was told or not.",
)
OUTBOX_WAITING = _gauge(
    "chargewatch_alert_outbox_messages", ("receiver",), "", "alert relay", "Messages that are not delivered yet.",
)
OUTBOX_OLDEST = _gauge(
    "chargewatch_alert_outbox_oldest_timestamp_seconds", ("receiver",), "seconds", "alert relay",
    "When the oldest message that is not delivered yet was written.",
)
ATTEMPTS = _counter(
    "chargewatch_alert_attempts_total", ("receiver", "outcome"), "", "alert relay",
    "Attempts to deliver a message: delivered, retry, refused (final) or given_up.",
)
ATTEMPT_DURATION = _histogram(
    "chargewatch_alert_attempt_seconds", ("receiver",), "alert relay", "Time that one attempt took.",
)
RECEIVER_REACHABLE = _gauge(
    "chargewatch_alert_receiver_reachable", ("receiver",), "", "alert relay",
    "0 while a receiver has failed so often that it is only tried now and then, else 1.",
)
RELAY_WORKING = _gauge(
    "chargewatch_alert_relay_working", (), "", "alert relay", "1 while alerts are grouped and stored, else 0.",
)
WATCHDOG_HEARD = _gauge(
    "chargewatch_alert_watchdog_heard_timestamp_seconds", (), "seconds", "alert relay",
    "When Alertmanager's Watchdog alert came last; absent before the first.",
)

# -- firmware rollouts: those that have begun; `wave` is a number, 0 the canary, `holdout` the control group that stays

_WAVE = ("rollout", "wave")
_SIGNAL = (*_WAVE, "signal")
_ROLLOUTS = "firmware: tick"

ROLLOUT_STATE = _gauge(
    "chargewatch_rollout_state", ("rollout", "version", "state", "reason"), "", _ROLLOUTS,
    "How the rollout stands now, value 1: running, held, paused, halted, finished, aborted, rolled_back; shown for a day after its "
    "end.",
)
ROLLOUT_WAVE_STATE = _gauge(
    "chargewatch_rollout_wave_state", (*_WAVE, "state"), "", _ROLLOUTS,
    "How the wave stands now, value 1: pending, dispatching, soaking, passed or failed.",
)
ROLLOUT_UPDATES = _gauge(
    "chargewatch_rollout_updates", (*_WAVE, "state"), "", _ROLLOUTS,
    "Charge points of the wave by the state of their update. No series for a state that none is in.",
)
ROLLOUT_VERDICT = _gauge(
    "chargewatch_rollout_verdict", (*_WAVE, "verdict", "reason"), "", _ROLLOUTS,
    "What the gate says of the wave now, value 1: PASS, FAIL, INCONCLUSIVE or ERROR, with its first reason as a word.",
)
ROLLOUT_EVIDENCE = _gauge(
    "chargewatch_rollout_evidence", _WAVE, "", _ROLLOUTS,
    "The e-value against the new firmware over all signals, the highest so far; the rollout is halted where it reaches the limit.",
)
ROLLOUT_EVIDENCE_LIMIT = _gauge("chargewatch_rollout_evidence_limit", _WAVE, "", _ROLLOUTS, "1/alpha: where it is halted.")
ROLLOUT_PROOF = _gauge(
    "chargewatch_rollout_proof", _WAVE, "", _ROLLOUTS,
    "The e-value that the new firmware is not so many times worse as must be ruled out before this wave has passed.",
)
ROLLOUT_PROOF_LIMIT = _gauge(
    "chargewatch_rollout_proof_limit", _WAVE, "", _ROLLOUTS, "1/beta: where the wave may pass.",
)
ROLLOUT_RULE_OUT = _gauge(
    "chargewatch_rollout_rule_out", _WAVE, "ratio", _ROLLOUTS,
    "How many times worse must be ruled out before this wave has passed.",
)
ROLLOUT_SIGNAL_EVIDENCE = _gauge(
    "chargewatch_rollout_signal_evidence", _SIGNAL, "", _ROLLOUTS, "The e-value of one signal alone, now.",
)
ROLLOUT_SIGNAL_FIRST = _gauge(
    "chargewatch_rollout_signal_evidence_first", _SIGNAL, "", _ROLLOUTS,
    "The same bet on each charge point's first event alone, exact whatever the charge points are like.",
)
ROLLOUT_SIGNAL_SHARE = _gauge(
    "chargewatch_rollout_signal_share", _SIGNAL, "ratio", _ROLLOUTS, "Its share of the bet; 0 for a signal that is only observed.",
)
ROLLOUT_SIGNAL_EVENTS = _gauge(
    "chargewatch_rollout_signal_events", (*_SIGNAL, "group"), "", _ROLLOUTS,
    "Events of the signal so far; group: new (the new firmware) or control. None for installs and lost, see "
    "chargewatch_rollout_installs.",
)
ROLLOUT_SIGNAL_EXPOSURE = _gauge(
    "chargewatch_rollout_signal_exposure_seconds", (*_SIGNAL, "group"), "seconds", _ROLLOUTS,
    "Time at risk of the signal so far, of all charge points of the group together.",
)
ROLLOUT_SIGNAL_RATIO = _gauge(
    "chargewatch_rollout_signal_ratio", _SIGNAL, "ratio", _ROLLOUTS,
    "Events per time with the new firmware against the control group, each in its own rates; absent while that had none.",
)
ROLLOUT_INSTALLS = _gauge(
    "chargewatch_rollout_installs", (*_WAVE, "outcome"), "", _ROLLOUTS,
    "Installations that have ended (finished), and of these failed and lost; of the whole rollout so far.",
)
ROLLOUT_JUDGED = _gauge(
    "chargewatch_rollout_judged_charge_points", (*_WAVE, "group"), "", _ROLLOUTS,
    "Charge points that the gate compares now; group: new (settled with the new firmware) or control.",
)
ROLLOUT_EVIDENCE_AT = _gauge(
    "chargewatch_rollout_evidence_timestamp_seconds", ("rollout",), "seconds since the epoch", _ROLLOUTS,
    "The evidence is complete up to here; its age is time() minus this.",
)
FIRMWARE_BEHIND = _gauge(
    "chargewatch_firmware_behind_records", (), "", "firmware: tick", "Durable records that the rollouts have not seen yet.",
)
FIRMWARE_WORKING = _gauge(
    "chargewatch_firmware_working", (), "", "firmware: tick", "1 while rollouts are judged and stored, else 0.",
)
FIRMWARE_TICK = _gauge(
    "chargewatch_firmware_tick_seconds", (), "seconds", "firmware: tick", "Time that the last look at all rollouts took.",
)
FIRMWARE_DAMAGED = _gauge(
    "chargewatch_firmware_files_damaged", (), "", "firmware: files",
    "Firmware files whose bytes on disk are not those that were added; they are served to nobody.",
)

# -- reports: hourly rollups, summed by site. `window`: 1h is the last complete hour, 24h and 7d the complete hours up to its end
_WINDOW = ("site", "window")
SITE_WINDOW_ENERGY = _gauge(
    "chargewatch_site_window_energy_watthours", _WINDOW, "watt-hours", "reports: rollups",
    "Energy of the transactions at the site in the window.",
)
SITE_WINDOW_SECONDS = _gauge(
    "chargewatch_site_window_connector_seconds", (*_WINDOW, "state"), "seconds", "reports: rollups",
    "Seconds of the site's connectors in the window: total, and of these occupied, charging, idle (occupied, not charging), "
    "faulted, unavailable, offline and unknown. Utilization is occupied / total.",
)
SITE_WINDOW_SESSIONS = _gauge(
    "chargewatch_site_window_sessions", _WINDOW, "", "reports: rollups", "Transactions that began at the site in the window.",
)
SITE_WINDOW_REVENUE = _gauge(
    "chargewatch_site_window_revenue", (*_WINDOW, "currency"), "currency units", "reports: rollups",
    "Revenue before taxes of the CDRs that ended at the site in the window, in whole units of the currency.",
)
ROLLUPS_UPTO = _gauge(
    "chargewatch_rollups_complete_timestamp_seconds", (), "seconds since the epoch", "reports: rollups",
    "End of the last complete hour that is in the windows.",
)
ROLLUPS_RESTATED = _counter(
    "chargewatch_rollups_restated_total", (), "", "reports: rollups",
    "Hours of a connector that were complete and changed again since this process began, because something was reported late.",
)
ROLLUPS_BEHIND = _gauge(
    "chargewatch_rollups_behind_records", (), "", "reports: rollups", "Journal records that are not in the rollups yet.",
)
ROLLUPS_WORKING = _gauge(
    "chargewatch_rollups_working", (), "", "reports: rollups", "1 while rollups are made and stored, else 0.",
)

# -- CDRs and statements

BILLING_SESSIONS = _gauge(
    "chargewatch_billing_sessions", ("state",), "", "billing: counts",
    "Transactions by what billing made of them: open, waiting (more may be said), billed, issue, dismissed, resolved.",
)
BILLING_UNBILLED = _gauge(
    "chargewatch_billing_unbilled", ("reason",), "", "billing: counts", "Transactions that cannot be billed, by the reason.",
)
STATEMENTS = _gauge(
    "chargewatch_statements", ("state",), "", "billing: counts",
    "Statements: draft, final, credited; and credit notes as credit_note.",
)
BILLING_BEHIND = _gauge(
    "chargewatch_billing_behind_records", (), "", "billing: loop", "Journal records that are not billed yet.",
)
BILLING_WORKING = _gauge(
    "chargewatch_billing_working", (), "", "billing: loop", "1 while facts become CDRs and are stored, else 0.",
)

# -- payments

PAYMENTS = _gauge(
    "chargewatch_payments", ("kind", "state"), "", "payments: counts",
    "Holds and charges by state: new, opened, processing, held, declined, paid, refunded, cancelled.",
)
PAYMENTS_STUCK = _gauge("chargewatch_payments_stuck", (), "", "payments: counts", "Payments that wait for a person.")
PAYMENTS_RECEIVABLE = _gauge(
    "chargewatch_payments_receivable", ("currency",), "", "payments: counts",
    "Owed after a hold was captured, or after the last reminder, and not collected by itself any more.",
)
PAYMENTS_WAITED = _gauge(
    "chargewatch_payments_oldest_request_seconds", (), "seconds", "payments: counts",
    "How long the oldest request has waited for an answer of the gateway.",
)
PAYMENTS_WORKING = _gauge(
    "chargewatch_payments_working", (), "", "payments: work", "1 while the gateway and the store answer, else 0.",
)

FLEET: tuple[Family, ...] = (
    CONNECTOR_STATUS, CONNECTOR_ERROR, CONNECTOR_POWER, CONNECTOR_CURRENT, CONNECTOR_VOLTAGE, CONNECTOR_ENERGY,
    CONNECTOR_TEMPERATURE, CONNECTOR_SOC, CONNECTOR_SESSION_ENERGY, CONNECTOR_LAST_SEEN,
    POINT_CONNECTED, POINT_LAST_FRAME, POINT_BOOTS, POINT_SECURITY_EVENTS, POINT_UPLOADS, POINT_INFO,
    SITE_POINTS, SITE_CONNECTED, SITE_CONNECTORS, SITE_POWER, SITE_TRANSACTIONS,
    MODEL_POINTS, MODEL_CONNECTED, MODEL_CONNECTORS, MODEL_POWER, MODEL_TRANSACTIONS,
    FIRMWARE_POINTS, FIRMWARE_CONNECTED, FIRMWARE_CONNECTORS, FIRMWARE_POWER, FIRMWARE_TRANSACTIONS,
)
PLATFORM: tuple[Family, ...] = (
    BUILD_INFO, CONNECTIONS, CONNECTIONS_OPENED, CONNECTIONS_CLOSED, SOCKETS, UPGRADES_REFUSED, LOGINS_REFUSED,
    CALLS, CALL_ERRORS, CALL_HANDLING, COMMANDS, COMMAND_ANSWER, FRAMES_DEVIATED, FRAMES_REFUSED, FRAMES_REPEATED, QUARANTINED,
    SECURITY_EVENTS, JOURNAL_SEQUENCE, JOURNAL_PENDING, JOURNAL_COMMITS, JOURNAL_RECORDS, JOURNAL_FSYNC, JOURNAL_BYTES,
    JOURNAL_HEALTHY, DISK_FREE, DISK_SIZE, PROJECTION_BEHIND, PROJECTION_LAG, TELEMETRY_WRITTEN, TELEMETRY_REJECTED,
    TELEMETRY_EXPIRED, LOOP_LAG, LOOP_LAG_MAX, API_REQUESTS, API_DURATION, LOG_SUPPRESSED, FLEET_SERIES, FLEET_RENDER,
    PROGRAM_BEHIND, PROGRAM_REACHES,
)
PROGRAM_PROCESS: tuple[Family, ...] = (
    BUILD_INFO, PROJECTION_BEHIND, PROJECTION_LAG, LOOP_LAG, LOOP_LAG_MAX, API_REQUESTS, API_DURATION, LOG_SUPPRESSED,
    PROGRAM_BEHIND, PROGRAM_REACHES,
)
"""Those of PLATFORM that a program in a process of its own has as well; of the others the collector tells."""
ALERTS: tuple[Family, ...] = (
    CASE, CASES_OPEN, CASE_CHANGES, CASES_UNTOLD, ALERTS_BEHIND, ALERTS_JUDGING, ALERTS_WORKING, SITE_ATTEMPTS, FIRMWARE_ATTEMPTS,
    ALERTS_OPEN, ALERTS_TAKEN, ALERTS_JUDGED, OUTBOX_WAITING, OUTBOX_OLDEST, ATTEMPTS, ATTEMPT_DURATION, RECEIVER_REACHABLE,
    RELAY_WORKING, WATCHDOG_HEARD,
)
ROLLOUTS: tuple[Family, ...] = (
    ROLLOUT_STATE, ROLLOUT_WAVE_STATE, ROLLOUT_UPDATES, ROLLOUT_VERDICT, ROLLOUT_EVIDENCE, ROLLOUT_EVIDENCE_LIMIT, ROLLOUT_PROOF,
    ROLLOUT_PROOF_LIMIT, ROLLOUT_RULE_OUT, ROLLOUT_SIGNAL_EVIDENCE, ROLLOUT_SIGNAL_FIRST, ROLLOUT_SIGNAL_SHARE,
    ROLLOUT_SIGNAL_EVENTS, ROLLOUT_SIGNAL_EXPOSURE, ROLLOUT_SIGNAL_RATIO, ROLLOUT_INSTALLS, ROLLOUT_JUDGED, ROLLOUT_EVIDENCE_AT,
    FIRMWARE_BEHIND, FIRMWARE_WORKING, FIRMWARE_TICK, FIRMWARE_DAMAGED,
)
REPORTS: tuple[Family, ...] = (
    SITE_WINDOW_ENERGY, SITE_WINDOW_SECONDS, SITE_WINDOW_SESSIONS, SITE_WINDOW_REVENUE, ROLLUPS_UPTO, ROLLUPS_RESTATED,
    ROLLUPS_BEHIND, ROLLUPS_WORKING,
)
BILLING: tuple[Family, ...] = (BILLING_SESSIONS, BILLING_UNBILLED, STATEMENTS, BILLING_BEHIND, BILLING_WORKING)
PAYMENT: tuple[Family, ...] = (PAYMENTS, PAYMENTS_STUCK, PAYMENTS_RECEIVABLE, PAYMENTS_WAITED, PAYMENTS_WORKING)
FAMILIES: tuple[Family, ...] = FLEET + PLATFORM + ALERTS + ROLLOUTS + REPORTS + BILLING + PAYMENT
