"""The column that says what an answer comes from, where series are asked for that are not known, and what it holds."""

BASIS, OWN, KIN = "basis", "its own past", "similar series"
