"""An Odoo in memory, by version."""
