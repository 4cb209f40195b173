"""Sources of tables, one file each, found by name."""
