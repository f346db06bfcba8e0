"""How to talk: connections, the one door out, Odoo's protocols."""
