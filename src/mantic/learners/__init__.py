"""Algorithms, one file each; a learner's name is its file's name."""
