"""The demonstration: the real platform on a temporary folder, a simulated network over real WebSockets, and a live view."""
