"""Monitoring: findings, alerts, logs, errors of our own."""
