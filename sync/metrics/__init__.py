"""Numbers for monitors: counters that outlive their rows, and the scrape."""
