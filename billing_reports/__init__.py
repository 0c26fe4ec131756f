"""From transactions to CDRs and statements, and from history to reports of use and uptime."""
