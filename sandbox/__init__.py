"""A stand-in Odoo and a receiver, on loopback only: first shop, test double and load."""
