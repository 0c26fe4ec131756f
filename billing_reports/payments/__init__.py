"""Payments: holds, captures, charges of saved methods, refunds. Money moves at a gateway; here is what is asked of it, and when."""
