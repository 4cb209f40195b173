"""How good, how sure, compared with what, and where it fails."""
