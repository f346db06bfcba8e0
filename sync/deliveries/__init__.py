"""Deliveries: the versions that are due, to one receiver after the other."""
