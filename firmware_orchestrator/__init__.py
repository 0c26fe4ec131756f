"""Health-gated firmware rollouts: plan, waves, gate, orchestrator. Its young parts are named in the changelog."""
