"""Background work: schedules, heartbeats, failures, slots, bulk statements, the queue's processes."""
