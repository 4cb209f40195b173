"""Who may do what in Studio: four roles, each of which may all that the one before it may."""

from enum import IntEnum


class Role(IntEnum):
    """What a person may do.

    >>> Role.of("editor") > Role.VIEWER
    True
    """

    NOBODY = 0  # pages that need no sign-in
    VIEWER = 1  # sees everything but people, keys and backups
    EDITOR = 2  # brings data, trains models
    OPERATOR = 3  # deploys, rolls back, answers alerts
    ADMIN = 4  # people, keys, sources, backups

    @classmethod
    def of(cls, word: str) -> "Role":
        """Return the role of a word."""
        return cls[word.upper()]

    @property
    def word(self) -> str:
        """Return it in words."""
        return self.name.lower()
