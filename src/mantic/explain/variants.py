"""Search among variants of one row for those that get a wanted answer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import polars as pl

from mantic.core.errors import SettingsError
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Array
from mantic.explain.likeness import Likeness
from mantic.explain.subject import COUNT, Subject

_MOST_ASKED = 30_000  # rows
_MOST_VALUES = 200  # known of a column
_TRIED_VALUES = 40  # of them at first; the others when it comes to how near
_MOST_COLUMNS = 20  # changed together with others: those that move the answer most by themselves
_BEAM = 24  # variants that are built on
_ALIKE = 3  # of these that change the same columns
_STEPS_A_COLUMN = 6  # values of a column that are tried on top of another change
_DONORS = 30
_PRICE = 1.0  # of one more change, against a change's distance of 0 to 1
_STRANGE = 1.0  # price of being unlike every known row, against the same
_FINALISTS = 40
_NEARED = 15
_ORDERED = (Kind.NUMBER, Kind.DATE)


@dataclass(frozen=True)
class Limits:
    """What may not change: columns to keep, and columns that may only grow or only shrink."""

    keep: tuple[str, ...] = ()
    only_up: tuple[str, ...] = ()
    only_down: tuple[str, ...] = ()

    def check(self, schema: Schema) -> None:
        """Refuse columns that are unknown, or that have no direction.

        Raises
        ------
        SettingsError : names all of them.
        """
        faults = []
        for name in (*self.keep, *self.only_up, *self.only_down):
            if name not in schema.names:
                near = get_close_matches(name, schema.names, n=1)
                faults.append(f"there is no column '{name}'" + (f" (did you mean '{near[0]}'?)" if near else ""))
        for name in (*self.only_up, *self.only_down):
            if name in schema.names and schema[name].kind not in _ORDERED:
                faults.append(f"'{name}' holds {schema[name].kind.value} values, which have no direction")
        faults += [f"'{name}' may go neither up nor down" for name in self.only_up if name in self.only_down]
        if faults:
            raise SettingsError(
                "; ".join(faults), where="limits of a counterfactual", fix=f"columns are: {', '.join(schema.names)}"
            )


@dataclass(frozen=True)
class Wish:
    """The wanted answer: a class by its code, or a range of values."""

    code: int | None = None
    low: float = float("-inf")
    high: float = float("inf")

    def gain(self, guess: Array) -> Array:
        """Return how near each answer is, larger is nearer; shape (n_rows,)."""
        if self.code is None:
            return np.minimum(guess - self.low, self.high - guess)
        others = np.delete(guess, self.code, axis=1)
        return np.asarray(guess[:, self.code] - others.max(axis=1))

    def is_met(self, guess: Array) -> Array:
        """Return whether each answer is the wanted one; shape (n_rows,)."""
        if self.code is None:
            return np.asarray((guess >= self.low) & (guess <= self.high))
        return np.asarray(guess.argmax(axis=1) == self.code)


class Search:
    """Variants of one row as positions in lists of values, one list per column; position 0 is the row's own value.

    First single changes, then the best of them with others on top; and rows that are answered as wanted, from which
    every change is taken back that is not needed. What is found is brought as near as it goes.
    """

    most_changes = 4

    def __init__(self, subject: Subject, row: pl.DataFrame, wish: Wish, limits: Limits) -> None:
        self.subject, self.row, self.wish = subject, row, wish
        self.n_asked = 0
        self.likeness = Likeness.of(subject.model.schema, subject.background)
        self.values: dict[str, pl.Series] = {}
        self.price: dict[str, Array] = {}
        for column in subject.model.schema.columns:
            options = self._options(column, limits)
            if len(options):
                own = row[column.name]
                self.values[column.name] = pl.concat([own, options])
                self.price[column.name] = np.append(0.0, self.likeness.apart(column.name, own, options))
        self.names = list(self.values)
        self.found: dict[bytes, Array] = {}

    def best(self, most: int) -> tuple[pl.DataFrame, list[float], list[float]]:
        """Return up to `most` variants that get the wanted answer, their distances and their strangeness."""
        if not self.names:
            return self.row[:0], [], []
        singles, gains = self._singles()
        strong = self._strong(singles, gains)
        if len(self._column_sets()) < most:
            self._grow(singles, gains, strong)
            self._from_donors(strong)
        self._bring_near()
        return self._chosen(most)

    def _options(self, column: Column, limits: Limits) -> pl.Series:
        """Return other values that were seen in a column, for numbers spread over their range."""
        name, own = column.name, self.row[column.name][0]
        seen = self.subject.background[name].drop_nulls()
        if not column.is_used or column.kind is Kind.TEXT or name in limits.keep:
            return seen[:0]
        if column.kind in _ORDERED:
            seen = seen.unique().sort()
            if own is not None and name in limits.only_up:
                seen = seen.filter(seen > own)
            if own is not None and name in limits.only_down:
                seen = seen.filter(seen < own)
        else:
            seen = seen.value_counts(sort=True, name=COUNT).sort([COUNT, name], descending=[True, False])[name]
            return seen.filter(seen != own).head(_TRIED_VALUES) if own is not None else seen.head(_TRIED_VALUES)
        if len(seen) > _MOST_VALUES:
            seen = seen.gather(_spread(len(seen), _MOST_VALUES))
        return seen.filter(seen != own) if own is not None else seen

    def _frame(self, codes: Array) -> pl.DataFrame:
        """Return variants as rows."""
        own = np.zeros(len(codes), dtype=np.int64)
        place = {name: at for at, name in enumerate(self.names)}
        return pl.DataFrame(
            {
                name: self.values[name].gather(codes[:, place[name]]) if name in place else self.row[name].gather(own)
                for name in self.row.columns
            }
        )

    def _ask(self, codes: Array) -> Array:
        """Return how near each variant's answer is, and keep those that get the wanted one."""
        codes = codes[: max(0, _MOST_ASKED - self.n_asked)]
        if not len(codes):
            return np.empty(0)
        self.n_asked += len(codes)
        guess = self.subject.model.predict(self._frame(codes))
        for one in codes[self.wish.is_met(guess)]:
            self.found.setdefault(one.tobytes(), one)
        return self.wish.gain(guess)

    def _cost(self, codes: Array) -> Array:
        far = sum(self.price[name][codes[:, at]] for at, name in enumerate(self.names))
        return np.asarray(_PRICE * (codes > 0).sum(axis=1) + far)

    def _singles(self) -> tuple[Array, Array]:
        codes = [
            np.eye(len(self.names), dtype=np.int64)[at] * value
            for at, name in enumerate(self.names)
            for value in _spread(len(self.values[name]) - 1, _TRIED_VALUES) + 1
        ]
        singles = np.stack(codes)
        return singles, np.append(self._ask(singles), np.full(len(singles), -np.inf))[: len(singles)]

    def _strong(self, singles: Array, gains: Array) -> list[int]:
        """Return the columns that move the answer most by themselves."""
        best = np.full(len(self.names), -np.inf)
        np.maximum.at(best, (singles > 0).argmax(axis=1), gains)
        return sorted(np.argsort(-best, kind="stable")[:_MOST_COLUMNS].tolist())

    def _grow(self, singles: Array, gains: Array, strong: list[int]) -> None:
        """Put further changes on the best variants until enough are found or the changes are too many."""
        of = (singles > 0).argmax(axis=1)
        steps = np.concatenate(
            [np.flatnonzero(of == at)[np.argsort(-gains[of == at], kind="stable")][:_STEPS_A_COLUMN] for at in strong]
        )
        steps = singles[steps]
        beam = self._beam(singles, gains)
        for _ in range(self.most_changes - 1):
            mixed = (beam[:, None, :] + steps[None]).reshape(-1, len(self.names))
            is_new = ((beam > 0)[:, None, :] & (steps > 0)[None]).any(axis=2).ravel()
            mixed = np.unique(mixed[~is_new], axis=0)
            near = self._ask(mixed)
            if not len(near) or self.found:
                return
            beam = self._beam(mixed[: len(near)], near)

    def _beam(self, codes: Array, gains: Array) -> Array:
        """Return the best variants, not more than a few that change the same columns."""
        kept: list[int] = []
        taken: Counter[bytes] = Counter()
        for at in np.argsort(-gains, kind="stable").tolist():
            changed = (codes[at] > 0).tobytes()
            if taken[changed] < _ALIKE and len(kept) < _BEAM:
                taken[changed] += 1
                kept.append(at)
        return np.asarray(codes[kept])

    def _from_donors(self, strong: list[int]) -> None:
        """Start from known rows that are answered as wanted, and take back what is not needed."""
        background = self.subject.background
        wanted = background.filter(pl.Series(self.wish.is_met(self.subject.model.predict(background))))
        if wanted.is_empty():
            return
        far = self.likeness.distances(self.row, wanted).mean(axis=1)
        donors = wanted[np.argsort(far, kind="stable")[:_DONORS]]
        codes = np.zeros((donors.height, len(self.names)), dtype=np.int64)
        for at in strong:
            codes[:, at] = self._nearest_codes(self.names[at], donors[self.names[at]])
        codes = np.unique(codes[(codes > 0).any(axis=1)], axis=0)
        self._ask(codes)
        codes = np.array([one for one in codes if one.tobytes() in self.found])
        while len(codes) and self.n_asked < _MOST_ASKED:
            tried = np.concatenate([self._taken_back(one) for one in codes])
            if not len(tried):
                return
            self._ask(np.unique(tried, axis=0))
            codes = np.array([better for one in codes if (better := self._cheapest(self._taken_back(one))) is not None])

    def _nearest_codes(self, name: str, wished: pl.Series) -> Array:
        """Return the allowed value nearest to each wished one; the row's own where it is missing or not allowed."""
        values = self.values[name]
        found = np.zeros(len(wished), dtype=np.int64)
        for at in range(len(wished)):
            if wished[at] is not None:
                found[at] = int(self.likeness.apart(name, wished[at : at + 1], values).argmin())
        return found

    def _taken_back(self, codes: Array) -> Array:
        """Return the variants with one change less."""
        changed = np.flatnonzero(codes)
        if len(changed) < 2:
            return np.empty((0, len(codes)), dtype=np.int64)
        fewer = np.repeat(codes[None], len(changed), axis=0)
        fewer[np.arange(len(changed)), changed] = 0
        return fewer

    def _cheapest(self, codes: Array) -> Array | None:
        known = [one for one in codes if one.tobytes() in self.found]
        return None if not known else known[int(self._cost(np.array(known)).argmin())]

    def _bring_near(self) -> None:
        """Move each change of the cheapest variants as near to the row's own value as the answer allows."""
        if not self.found:
            return
        for one in self._cheapest_sets()[:_NEARED]:
            nearer = list(self._nearer(one))
            if nearer:
                self._ask(np.array(nearer))

    def _nearer(self, codes: Array) -> Iterator[Array]:
        for at in np.flatnonzero(codes):
            price = self.price[self.names[at]]
            for value in np.flatnonzero((price > 0) & (price < price[codes[at]])):
                closer = codes.copy()
                closer[at] = value
                if closer.tobytes() not in self.found:
                    yield closer

    def _strangeness(self, rows: pl.DataFrame) -> Array:
        """Return how much further each row is from its nearest known row than the row that is asked about."""
        background = self.subject.background
        own = self.likeness.distances(self.row, background).sum(axis=1)
        others = background.filter(pl.Series(own > 0))
        if others.is_empty():
            return np.zeros(rows.height)
        near = [self.likeness.distances(rows[at], others).sum(axis=1).min() for at in range(rows.height)]
        return np.asarray(np.maximum(0.0, np.array(near) - own[own > 0].min()))

    def _cheapest_sets(self) -> Array:
        """Return the cheapest variant of each set of changed columns, the cheapest first."""
        every = np.array([one for one in self.found.values() if (one > 0).sum() <= self.most_changes])
        if not len(every):
            return np.empty((0, len(self.names)), dtype=np.int64)
        cheapest: dict[bytes, Array] = {}
        for one in every[np.argsort(self._cost(every), kind="stable")]:
            cheapest.setdefault((one > 0).tobytes(), one)
        return np.array(list(cheapest.values()))

    def _column_sets(self) -> set[bytes]:
        return {(one > 0).tobytes() for one in self.found.values()}

    def _chosen(self, most: int) -> tuple[pl.DataFrame, list[float], list[float]]:
        """Return the cheapest variants of different sets of columns, of which none holds another."""
        codes = self._cheapest_sets()[:_FINALISTS]
        if not len(codes):
            return self.row[:0], [], []
        rows = self._frame(codes)
        strange = self._strangeness(rows)
        order = np.argsort(self._cost(codes) + _STRANGE * strange, kind="stable")
        chosen: list[int] = []
        for at in order.tolist():
            sets = [set(np.flatnonzero(codes[other])) for other in chosen]
            own = set(np.flatnonzero(codes[at]))
            if len(chosen) < most and not any(other <= own for other in sets):
                chosen.append(at)
        far = self._cost(codes) - _PRICE * (codes > 0).sum(axis=1)
        return rows[chosen], far[chosen].tolist(), strange[chosen].tolist()


def _spread(n: int, most: int) -> Array:
    """Return at most so many of n places, evenly spread, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))
