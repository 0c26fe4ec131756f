"""From what is open to who is told what: route, group, inhibit, silence, dedup. Pure: no clock, no store, no event loop."""
