"""Where data comes from: files, databases, standard input, dataframes."""
