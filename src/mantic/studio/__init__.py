"""The web pages: from a file to a running model, without a line of code."""
