"""From rows of many series to a panel: nothing is repaired in silence."""
