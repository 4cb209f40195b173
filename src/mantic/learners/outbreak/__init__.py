"""Outbreak methods: each foresees quantiles of all epidemic curves at once, one file each."""
