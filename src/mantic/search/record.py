"""What a search did, in a few kilobytes: enough to do it again without its clock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mantic.core.learner import Params
from mantic.core.strict_json import read_json
from mantic.search.trial import Candidate


@dataclass(frozen=True)
class Record:
    """A search that ended in a model.

    Parameters
    ----------
    candidates : that were scored, by number.
    scores : of each, on the rows that guided the search.
    is_cut : of each, whether the clock stopped a learner before it was done.
    one_fold : whether one fold had to do.
    refitted : (candidate number, part) that were fitted again on all their rows.
    kept : (candidate number, part) that the models were blended of in the end.
    hurried : by (candidate number, part), parameters that a learner changed there, to be done in time.
    """

    candidates: tuple[Candidate, ...]
    scores: tuple[float, ...]
    is_cut: tuple[bool, ...]
    one_fold: bool
    refitted: tuple[tuple[int, int], ...]
    kept: tuple[tuple[int, int], ...]
    hurried: Mapping[tuple[int, int], Params] = field(default_factory=dict)

    def kept_in(self, part: int) -> frozenset[int]:
        """Return the numbers of the candidates that one part's model was blended of."""
        return frozenset(number for number, own in self.kept if own == part)

    def hurried_in(self, candidate: Candidate, part: int) -> Params:
        """Return what a candidate's learner changed in one part, to be done in time."""
        return self.hurried.get((candidate.number, part), {})

    def to_json(self) -> str:
        """Return the record as JSON; `from_json` restores it."""
        rows = [
            {"learner": one.learner, "params": one.params, "number": one.number, "cost": one.cost, "score": score,
             "is_cut": is_cut}
            for one, score, is_cut in zip(self.candidates, self.scores, self.is_cut, strict=True)
        ]  # fmt: skip
        hurried = [[*key, params] for key, params in self.hurried.items()]
        facts = {"trials": rows, "one_fold": self.one_fold, "refitted": self.refitted, "kept": self.kept}
        return json.dumps(facts | {"hurried": hurried})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Restore what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError : if the text is something else.
        """
        facts = read_json(text)
        rows: list[Mapping[str, Any]] = facts["trials"]
        return cls(
            tuple(Candidate(str(one["learner"]), dict(one["params"]), int(one["number"]), one["cost"]) for one in rows),
            tuple(float(one["score"]) for one in rows),
            tuple(bool(one["is_cut"]) for one in rows),
            bool(facts["one_fold"]),
            _pairs(facts["refitted"]),
            _pairs(facts["kept"]),
            {(int(number), int(part)): dict(params) for number, part, params in facts.get("hurried", ())},
        )


def _pairs(rows: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(number), int(part)) for number, part in rows)
