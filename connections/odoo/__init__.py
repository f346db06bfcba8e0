"""Odoo over its external API: a few verbs, two protocols."""
