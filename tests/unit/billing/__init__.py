"""Money, tariffs, prices."""
