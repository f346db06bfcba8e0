"""The ground that every system stands on: background work, monitoring, toolkits for pages and commands."""
