"""A draft: data that somebody brought, and the question about them as far as it goes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from mantic.core.strict_json import read_json

READING, READY, FAILED = "reading", "ready", "failed"


@dataclass(frozen=True)
class Question:
    """What is to be learned, in the words of `mantic fit`; empty is not chosen."""

    target: str = ""
    task: str = ""
    budget: str = "60s"
    drop: tuple[str, ...] = ()
    time: str = ""
    group: str = ""
    metric: str = ""
    positive: str = ""
    cost: str = ""
    capacity: str = ""
    unit: str = ""
    series: tuple[str, ...] = ()
    horizon: str = ""
    hierarchy: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    as_of: str = ""
    country: str = ""


@dataclass(frozen=True)
class Draft:
    """Data and question; what a person has said is in it, what was found in the data lies beside it.

    Parameters
    ----------
    id : of its folder.
    name : shown to people; the name of a model made from it.
    source : the file in the folder, or the address from which the data come.
    owner : who brought it.
    created : seconds since 1970.
    state : reading, ready or failed.
    kinds : column to kind, where somebody knows better than `infer`.
    fault : what, where and fix, if it failed.
    """

    id: str
    name: str
    source: str
    owner: str
    created: float
    state: str = READING
    kinds: Mapping[str, str] = field(default_factory=dict)
    question: Question = field(default_factory=Question)
    fault: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return it as text, restored by `from_json`."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Restore what `to_json` wrote.

        Raises
        ------
        ValueError, TypeError, KeyError : if it is something else.
        """
        facts: dict[str, Any] = dict(read_json(text))
        asked = {one.name: facts["question"][one.name] for one in fields(Question) if one.name in facts["question"]}
        asked |= {name: tuple(asked.get(name, ())) for name in ("drop", "series", "hierarchy", "known")}
        return cls(**{**facts, "question": Question(**asked)})
