"""What alerts keeps in SQL: tables, statements, and the fake that passes the same contract suite."""
