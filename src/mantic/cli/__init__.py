"""The command line: parse, show, decide nothing."""
