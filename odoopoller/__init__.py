"""The project: settings, addresses, entry points. Nothing imports it."""
