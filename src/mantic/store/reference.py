"""The words by which a kept model is called: `churn`, `churn@challenger`, `churn/3`."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from mantic.core.errors import StoreError

CHAMPION = "champion"  # answers
CHALLENGER = "challenger"  # is tried out: of a deployed model, the canary
MAX_BYTES = 100  # of a name: it also becomes part of a file's name
_NAME = re.compile(r"\w[\w.\-]*")
_WORDS = re.compile(r"(?P<name>\w[\w.\-]*)(?:@(?P<alias>\w[\w.\-]*)|/(?P<number>[1-9][0-9]{0,8}))?")


@dataclass(frozen=True)
class Reference:
    """A model by name, and either an alias or a number; by the champion when neither was said."""

    name: str
    alias: str = CHAMPION
    number: int | None = None

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.name}@{self.alias}" if self.number is None else f"{self.name}/{self.number}"


def read_reference(words: str) -> Reference:
    """Return what the words refer to.

    Raises
    ------
    StoreError : if they are no reference.

    >>> read_reference("churn"), str(read_reference("churn/3"))
    (Reference(name='churn', alias='champion', number=None), 'churn/3')
    """
    found = _WORDS.fullmatch(unicodedata.normalize("NFC", words))
    if found is None:
        raise StoreError(
            f"'{words[:80]}' calls no model", where="store", fix="write NAME, NAME@ALIAS or NAME/NUMBER, as in churn/3"
        )
    name = check_name(found["name"])
    alias = check_name(found["alias"] or CHAMPION, "alias")
    return Reference(name, alias, int(found["number"]) if found["number"] else None)


def is_reference(words: str) -> bool:
    """Whether the words call a kept model, and no file.

    >>> is_reference("churn@champion"), is_reference("churn.mantic"), is_reference("./churn")
    (True, False, False)
    """
    return not words.endswith(".mantic") and _WORDS.fullmatch(words) is not None and not Path(words).is_file()


def check_name(name: str, what: str = "name") -> str:
    """Return a name in one spelling (NFC).

    Raises
    ------
    StoreError : if a model or an alias cannot be called so.

    >>> check_name("churn-2026.v2")
    'churn-2026.v2'
    """
    done = unicodedata.normalize("NFC", name)
    if not _NAME.fullmatch(done) or len(done.encode("utf-8", "replace")) > MAX_BYTES or done.endswith(".mantic"):
        raise StoreError(
            f"'{done[:60]}' cannot be the {what} of a model" if done else f"the {what} of a model is empty",
            where="store",
            fix=f"use letters, digits, '_', '-' and '.', a letter or digit first, at most {MAX_BYTES} bytes",
        )
    return done


def name_for(file: str | Path) -> str:
    """Return the name under which the model of a file is kept.

    >>> name_for("models/my churn.mantic"), name_for("...mantic")
    ('my-churn', 'model')
    """
    stem = unicodedata.normalize("NFC", Path(file).name.removesuffix(".mantic"))
    done = re.sub(r"[^\w.\-]+", "-", stem).strip(".-")
    short = done.encode("utf-8", "replace")[:MAX_BYTES].decode("utf-8", "ignore").strip(".-")
    return short.removesuffix(".mantic") or "model"
