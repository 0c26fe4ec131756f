"""Health-gated firmware rollouts. No rollout is run yet; the collector can already send UpdateFirmware."""
