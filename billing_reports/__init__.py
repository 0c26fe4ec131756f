"""From a meter's register to a CDR, a price, a statement; and from intervals to uptime and utilization."""
