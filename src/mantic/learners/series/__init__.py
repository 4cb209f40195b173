"""Methods for series: one file each."""
