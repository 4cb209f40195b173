"""Outcomes: how it turned out, which is often known weeks after the prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from mantic.store.database import Database
from mantic.store.predictions import MOST, Prediction, prediction_of, thin
from mantic.store.reference import check_name
from mantic.store.tables import OUTCOME, PREDICTION
from mantic.store.value import author, moment, now, pack, plain, unpack


@dataclass(frozen=True)
class Judged:
    """A prediction and what was true; `at` is when that became known here."""

    prediction: Prediction
    truth: Any
    at: str
    by: str


class Outcomes:
    """The labels of a store.

    >>> import tempfile
    >>> from mantic.store.store import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     ids = store.predictions.append([Prediction("churn", 2, {"tenure": 3}, {"prediction": "yes"})])
    ...     store.outcomes.add({ids[0]: "no"})
    ...     [one.truth for one in store.outcomes.judged("churn")]
    1
    ['no']
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, truths: Mapping[str, Any], *, by: str | None = None) -> int:
        """Keep what was true, by the id of the prediction, as a whole; a later word replaces an earlier one.

        What is known already keeps the moment at which it became known. An outcome may come before its prediction is
        written: the two find each other.

        Returns
        -------
        How many were kept.
        """
        known = {"at": now(), "by": author(by)}
        rows = [{"prediction": plain(one, "the id"), "truth": pack(truth), **known} for one, truth in truths.items()]
        with self._database.moving() as connection:
            for start in range(0, len(rows), 500):
                _replace(connection, rows[start : start + 500])
        return len(rows)

    def of(self, identities: Sequence[str]) -> dict[str, Any]:
        """Return what is known to be true, by the id of the prediction, of those that are asked for."""
        found: dict[str, Any] = {}
        with self._database.reading() as connection:
            for start in range(0, len(identities), 500):
                some = OUTCOME.c.prediction.in_(identities[start : start + 500])
                rows = connection.execute(select(OUTCOME.c.prediction, OUTCOME.c.truth).where(some))
                found |= {row.prediction: unpack(row.truth) for row in rows}
        return found

    def judged(
        self,
        name: str,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        share: float = 1.0,
        limit: int = MOST,
    ) -> list[Judged]:
        """Return predictions of a model whose outcome is known, oldest prediction first; at most `limit`.

        Parameters
        ----------
        since : only predictions that were made from this moment on, whenever their outcome became known.
        share : of them, 0 to 1, as `Predictions.thinned` draws it.
        """
        query = thin(_known(name, number, made_since=since), share).order_by(PREDICTION.c.at, PREDICTION.c.id)
        with self._database.reading() as connection:
            return [_judged(row) for row in connection.execute(query.limit(limit))]

    def count(self, name: str, *, number: int | None = None, since: str | datetime | None = None) -> int:
        """Return of how many predictions, made from a moment on, the outcome is known."""
        query = _known(name, number, made_since=since).with_only_columns(func.count())
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def arrived(
        self,
        name: str,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        share: float = 1.0,
        limit: int = MOST,
    ) -> list[Judged]:
        """Return predictions of a model by when their outcome became known, then by when they were made; oldest first.

        Parameters
        ----------
        since, until : only those whose outcome became known from this moment on, and before this moment.
        share : of them, 0 to 1, as `Predictions.thinned` draws it.
        """
        query = thin(_arrived(name, number, since, until), share)
        query = query.order_by(OUTCOME.c.at, PREDICTION.c.at, PREDICTION.c.id)
        with self._database.reading() as connection:
            return [_judged(row) for row in connection.execute(query.limit(limit))]

    def n_arrived(
        self,
        name: str,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> int:
        """Return how many outcomes of a model's predictions became known from `since` to before `until`."""
        query = _arrived(name, number, since, until).with_only_columns(func.count())
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())


def _replace(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write outcomes that are not known, or otherwise."""
    same = OUTCOME.c.prediction.in_([row["prediction"] for row in rows])
    found = connection.execute(select(OUTCOME.c.prediction, OUTCOME.c.truth).where(same))
    known = {row.prediction: row.truth for row in found}
    fresh = [dict(row) for row in rows if known.get(row["prediction"]) != row["truth"]]
    if fresh:
        connection.execute(delete(OUTCOME).where(OUTCOME.c.prediction.in_([row["prediction"] for row in fresh])))
        connection.execute(insert(OUTCOME), fresh)


def _known(name: str, number: int | None, *, made_since: str | datetime | None = None) -> "Select[tuple[Any, ...]]":
    query: Select[tuple[Any, ...]] = (
        select(PREDICTION, OUTCOME.c.truth, OUTCOME.c.at.label("known"), OUTCOME.c.by)
        .join(OUTCOME, OUTCOME.c.prediction == PREDICTION.c.id)
        .where(PREDICTION.c.name == check_name(name))
    )
    if number is not None:
        query = query.where(PREDICTION.c.number == number)
    return query if made_since is None else query.where(PREDICTION.c.at >= moment(made_since))


def _arrived(
    name: str, number: int | None, since: str | datetime | None, until: str | datetime | None
) -> "Select[tuple[Any, ...]]":
    query = _known(name, number)
    if since is not None:
        query = query.where(OUTCOME.c.at >= moment(since))
    return query if until is None else query.where(OUTCOME.c.at < moment(until))


def _judged(row: Any) -> Judged:
    return Judged(prediction_of(row), unpack(row.truth), row.known, row.by)
