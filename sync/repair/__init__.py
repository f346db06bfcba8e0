"""Repair: comparing a source with our records, resending, recovering an outage."""
