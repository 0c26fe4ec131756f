"""Health-gated firmware rollouts: a canary, then waves; it stops by itself when charge points get worse."""
