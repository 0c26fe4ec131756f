"""Facts into stores: each projection has its own durable cursor in the journal."""
