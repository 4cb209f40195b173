"""Reasons: for one answer, and for all of them."""
