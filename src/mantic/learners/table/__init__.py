"""Learners for tables."""
