"""WebSocket servers behind one small port: accept, authenticate, frames in, frames out."""
