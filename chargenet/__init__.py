"""The ground floor: the words, ports and adapters that every program of chargewatch shares."""
