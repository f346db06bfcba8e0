"""What moves: one order's way from Odoo to its receiver."""
