"""The sandbox as load."""
