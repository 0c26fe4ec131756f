"""Prices under OCPI tariffs. Transactions to CDRs, statements and reports are not here yet."""
