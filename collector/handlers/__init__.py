"""Calls from charge points: one action, one file, (call, context) → (reply, events). Pure."""
