"""Forecasts judged: errors, intervals, and the page that says it."""
