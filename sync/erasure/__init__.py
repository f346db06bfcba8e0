"""Erasing a person: whom it means, where their data is, and taking it out."""
