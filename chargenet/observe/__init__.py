"""What the platform shows of itself and of the fleet: metric names as data, exposition, logs, loop lag."""
