"""Columns that know the answer, and splits that would be more honest: how they are found out."""
