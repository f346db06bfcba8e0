"""Connections of every kind: their form, its history, the options of commands."""
