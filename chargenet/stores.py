"""Ports of the SQL stores: charge points, transactions, tokens, keys, audit. Rows are plain values; adapters are in storage/."""
