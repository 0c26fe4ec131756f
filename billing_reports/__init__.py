"""Transactions to CDRs, statements and reports. Nothing is priced yet."""
