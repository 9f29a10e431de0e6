"""Product events, schedules and queues. Empty until they are built."""
