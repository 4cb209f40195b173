"""Forecasts judged on the past: rolling origins, weights, intervals, all under a budget."""
