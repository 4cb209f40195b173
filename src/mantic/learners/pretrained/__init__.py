"""Forecasting models that others have trained: which there are, where they lie, and how they answer."""
