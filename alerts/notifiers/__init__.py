"""Ways to tell: one file per kind of receiver. Each makes a request of a message (pure) and hands it to a door."""
