"""A fitted model behind an HTTP address."""
