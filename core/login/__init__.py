"""Logins: their form, how often one may fail, and what is said then."""
