"""Cut a text into n-grams as scikit-learn's CountVectorizer does, without it: that takes a second to be loaded."""

import itertools
import re
from collections.abc import Callable

_TOKENS = re.compile(r"\b\w\w+\b").findall
_SPACES = re.compile(r"\s\s+").sub
_SHORTEST, _LONGEST = 3, 5  # letters


def _cut_words(text: str) -> list[str]:
    """Return the words of two letters or more, and all pairs of neighbours.

    >>> _cut_words("A big  cat")
    ['big', 'cat', 'big cat']
    """
    words: list[str] = _TOKENS(text.lower())
    return words + [f"{one} {two}" for one, two in itertools.pairwise(words)]


def _cut_letters(text: str) -> list[str]:
    """Return runs of 3 to 5 letters inside of words, whose ends are blanks.

    >>> _cut_letters("ab")
    [' ab', 'ab ', ' ab ']
    """
    grams: list[str] = []
    for word in _SPACES(" ", text.lower()).split():
        padded = f" {word} "
        for n in range(_SHORTEST, _LONGEST + 1):
            if len(padded) <= n:
                grams.append(padded)
                break
            grams += [padded[start : start + n] for start in range(len(padded) - n + 1)]
    return grams


CUTS: dict[str, Callable[[str], list[str]]] = {"words": _cut_words, "letters": _cut_letters}
