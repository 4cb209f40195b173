"""Outside libraries as they are, without what they load for people who use them otherwise than mantic does."""
