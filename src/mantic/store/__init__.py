"""Where models, runs, predictions and alerts are kept: one code for SQLite and PostgreSQL, blobs by their content."""
