"""Telling people what goes wrong: once for each cause, and again when it is over."""
