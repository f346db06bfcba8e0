"""Orders from Odoo, by whatever version it is."""
