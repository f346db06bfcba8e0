"""The pages of findings and alerts."""
