"""Thresholds of the rules, each with its reason. Decided here: the defaults; not what is compared with them.

How long something must stand before anybody hears of it is part of the rule; how a case opens and closes is not (alerts/cases.py).
"""

from __future__ import annotations

import msgspec

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Durations `_s` in seconds, energies `_wh`, powers `_w`; counts are inclusive: so many are enough."""

    fault_after_s: float = 5 * MINUTE
    """Faults without danger: many end by themselves, and at a boot most charge points say Faulted for a moment."""
    fault_flapping_count: int = 4
    fault_flapping_window_s: float = 6 * HOUR
    """Each fault shorter than `fault_after_s`, and still four drivers met one in an evening."""

    heartbeat_interval_s: float = 5 * MINUTE
    """What we ask for at the boot (collector.liveness.heartbeat_interval_s), where the charge point reports no other."""
    offline_heartbeats: float = 3.0
    """As the collector's own liveness: with one missed heartbeat a radio link is alive more often than not."""
    offline_min_s: float = 4 * MINUTE
    """Operators ask for four to five minutes: a router's restart takes three."""
    down_heartbeats: float = 1.5
    """Silent so long counts towards an outage of many as soon as the first of them is offline: last frames lie up to one
    heartbeat apart, and one page for all must not come after forty for each."""
    down_closed_s: float = MINUTE
    """So does a connection that has been closed for this long."""
    outage_window_s: float = 15 * MINUTE
    """Who falls silent within this time fell silent together."""
    site_outage_count: int = 2
    site_outage_share: float = 0.8
    """Nearly all, not all: a battery-backed controller or a second uplink may go on."""
    vendor_outage_count: int = 5
    vendor_outage_sites: int = 3
    vendor_outage_share: float = 0.5
    """At several sites at once, and every second one: the sites are not the reason."""
    network_outage_count: int = 10
    network_outage_sites: int = 4
    network_outage_share: float = 0.5

    reboot_count: int = 3
    reboot_window_s: float = HOUR
    """A power cut makes one boot, a technician two."""
    flapping_count: int = 6
    flapping_window_s: float = HOUR
    """Reconnecting every ten minutes loses readings; a weak radio link drops once or twice."""

    preparing_after_s: float = 2 * HOUR
    """A driver who plugs in and goes for an app or a card comes back sooner."""
    finishing_after_s: float = 24 * HOUR
    """Cars stay plugged in overnight after charging; a day is no parking any more."""
    unavailable_after_s: float = HOUR
    """A change of firmware or a restart takes less."""
    reserved_after_s: float = 2 * HOUR
    """Where the reservation's expiry is not known."""
    reserved_grace_s: float = 10 * MINUTE
    """After its expiry, where it is."""
    suspended_evse_after_s: float = 4 * HOUR
    """Load management may hold a car back for an evening's peak, not for longer."""
    occupied_after_s: float = 24 * HOUR
    """As Finishing: OCPP 2.x has one word for both."""

    zombie_after_s: float = 5 * MINUTE
    """Contactors close within seconds, a DC handshake within a minute."""
    zombie_wh: float = 10.0
    zombie_w: float = 100.0
    """Less is the meter's own rounding."""
    zombie_soc_percent: float = 98.0
    """A car that comes full takes nothing."""
    zombie_readings: float = 2.0
    """Where a connector reports readings, so many of its usual intervals must have passed."""
    eternal_after_s: float = 3 * DAY
    """The longest weekend; of 66,479 real sessions at public connectors 12 lasted longer."""
    available_after_s: float = 5 * MINUTE
    """A stop follows its status within seconds, from a queue within minutes."""
    available_until_s: float = DAY
    """After that the transaction's end is estimated anyway."""

    frozen_wh: float = 1000.0
    """So much must have flowed by its own power readings: some registers only count whole kWh."""
    frozen_after_s: float = 15 * MINUTE
    frozen_count: int = 3
    """Registers in a row that did not rise."""
    frozen_without_power_s: float = 2 * HOUR
    """Where no power is reported, Charging and a register at rest: near the end a car takes next to nothing for an hour."""
    jump_ratio: float = 1.5
    """Times what the connector was ever seen to give."""
    jump_power_w: float = 500_000.0
    """What it may give where it never reported a power: above every charger on public roads."""
    jump_wh: float = 1000.0
    meter_kept_s: float = DAY
    """A step back or a jump is over at once; for a day somebody should still find it."""

    clock_offset_s: float = 5 * MINUTE
    """Charge points set their clock by our answers; a minute or two of drift harms nobody's bill, a time zone does."""
    clock_count: int = 4
    clock_span_s: float = 5 * MINUTE
    """So many reports in a row over this time: one late report makes any clock look slow."""
    clock_spread_s: float = 2 * MINUTE
    """A wrong clock is wrong by the same each time; reports from a queue are late by less and less."""

    firmware_failed_kept_s: float = 3 * DAY
    unexpected_firmware_kept_s: float = 3 * DAY
    """A weekend."""
    rejects_count: int = 5
    rejects_tokens: int = 3
    rejects_window_s: float = HOUR
    """One driver tries one card again and again; three strangers in a row do not all have bad cards."""
    security_kept_s: float = DAY
    login_refused_count: int = 10
    login_refused_window_s: float = HOUR
    """A charge point with a wrong password tries once every few minutes."""
