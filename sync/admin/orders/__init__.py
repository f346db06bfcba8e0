"""The pages of orders, their versions and attempts."""
