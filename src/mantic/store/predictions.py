"""Predictions: which row was answered how, by which version, and when."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, Table, exists, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from mantic.core.errors import StoreError
from mantic.store.database import Database
from mantic.store.reference import check_name
from mantic.store.tables import OUTCOME, PREDICTION
from mantic.store.value import moment, now, pack, plain, unpack

MOST = 10_000  # rows that one reading gives
_LENGTHS = {"hour": 13, "day": 10}  # characters of a moment
_INSERTS: Mapping[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}
_PARTS = 4096  # the end of an id is drawn by chance: three hexadecimal digits part the rows


@dataclass(frozen=True)
class Prediction:
    """One answered row.

    Parameters
    ----------
    name, number : of the model; the number is None for a model that is not kept.
    row, answer : plain JSON values.
    id : by which an outcome finds it; made when absent.
    at : when (UTC, ISO 8601); now when empty.
    """

    name: str
    number: int | None
    row: Mapping[str, Any]
    answer: Mapping[str, Any]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: str = ""


@dataclass(frozen=True)
class Counted:
    """How many rows a version answered in an hour or a day; `at` is how its moments begin, as `2026-05-01T12`."""

    at: str
    number: int | None
    n_rows: int


class Predictions:
    """The prediction log of a store.

    >>> import tempfile
    >>> from mantic.store.store import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     ids = store.predictions.append([Prediction("churn", 2, {"tenure": 3}, {"prediction": "yes"})])
    ...     [one.answer for one in store.predictions.find("churn", number=2)]
    [{'prediction': 'yes'}]
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, predictions: Iterable[Prediction]) -> list[str]:
        """Keep many answered rows as a whole; return their ids.

        Raises
        ------
        StoreError : if an id is taken already: then none of them is kept.
        """
        rows = [packed(one) for one in predictions]
        ids = [row["id"] for row in rows]
        with self._database.writing() as connection:
            taken = _taken(connection, ids)
            if taken or len(set(ids)) < len(ids):
                what = f"a prediction '{taken[0][:40]}' is there already" if taken else "two of them have the same id"
                raise StoreError(f"{what}; none was kept", where="predictions", fix="give each an id of its own")
            if rows:
                connection.execute(insert(PREDICTION), rows)
        return ids

    def absorb(self, packs: Iterable[dict[str, Any]]) -> int:
        """Keep those answered rows of many, as `packed` gives them, that are not kept yet; return how many that were.

        They are kept as a whole; only the database can refuse them.
        """
        rows = sorted(packs, key=itemgetter("id"))  # in one order, else two who bring the same wait for each other
        if not rows:
            return 0
        with self._database.writing() as connection:
            unless_kept = _INSERTS[connection.dialect.name](PREDICTION).on_conflict_do_nothing()
            return connection.execute(unless_kept, rows, execution_options={"preserve_rowcount": True}).rowcount

    def get(self, identity: str) -> Prediction | None:
        """Return a prediction; None when there is none of this id."""
        with self._database.reading() as connection:
            row = connection.execute(select(PREDICTION).where(PREDICTION.c.id == identity)).first()
        return None if row is None else prediction_of(row)

    def find(
        self,
        name: str,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        after: Prediction | None = None,
        limit: int = MOST,
    ) -> list[Prediction]:
        """Return the answers of a model from `since` to before `until`, oldest first; at most `limit`.

        Parameters
        ----------
        after : the last one that was read, to read on behind it.
        """
        query = _of(name, number, since, until)
        if after is not None:
            at, identity = moment(after.at), after.id
            query = query.where((PREDICTION.c.at > at) | ((PREDICTION.c.at == at) & (PREDICTION.c.id > identity)))
        query = query.order_by(PREDICTION.c.at, PREDICTION.c.id)
        with self._database.reading() as connection:
            return [prediction_of(row) for row in connection.execute(query.limit(limit))]

    def newest(
        self,
        name: str,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int = MOST,
    ) -> list[Prediction]:
        """Return the last answers of a model, newest first; at most `limit`."""
        return self._newest(_of(name, number, since, until).limit(limit))

    def newest_judged(
        self,
        name: str,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int = MOST,
    ) -> list[Prediction]:
        """Return the last answers of a model whose outcome is known, newest first; at most `limit`."""
        is_judged = exists().where(OUTCOME.c.prediction == PREDICTION.c.id)
        return self._newest(_of(name, number, since, until).where(is_judged).limit(limit))

    def thinned(
        self,
        name: str,
        share: float,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int = MOST,
    ) -> list[Prediction]:
        """Return a share of the answers of a model, drawn by the ends of their ids, oldest first; at most `limit`.

        Parameters
        ----------
        share : 0 to 1. The same rows come again as long as it is the same; from 1 on all come.
        """
        query = thin(_of(name, number, since, until), share)
        query = query.order_by(PREDICTION.c.at, PREDICTION.c.id)
        with self._database.reading() as connection:
            return [prediction_of(row) for row in connection.execute(query.limit(limit))]

    def counts(
        self, name: str, *, since: str | datetime | None = None, until: str | datetime | None = None, by: str = "day"
    ) -> list[Counted]:
        """Return how many rows each version answered by "hour" or "day" (UTC), oldest first; empty ones are left out.

        Raises
        ------
        StoreError : if `by` is neither.
        """
        if by not in _LENGTHS:
            raise StoreError(f"rows are not counted by '{by[:20]}'", where="predictions", fix="say hour or day")
        at = func.substr(PREDICTION.c.at, 1, _LENGTHS[by]).label("slot")
        query = _of(name, None, since, until).with_only_columns(at, PREDICTION.c.number, func.count())
        query = query.group_by(at, PREDICTION.c.number).order_by(at, PREDICTION.c.number)
        with self._database.reading() as connection:
            return [Counted(*row) for row in connection.execute(query)]

    def count(
        self,
        name: str,
        *,
        number: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> int:
        """Return how many rows a model answered from `since` to before `until`."""
        query = _of(name, number, since, until).with_only_columns(func.count())
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def _newest(self, query: "Select[tuple[Any, ...]]") -> list[Prediction]:
        query = query.order_by(PREDICTION.c.at.desc(), PREDICTION.c.id.desc())
        with self._database.reading() as connection:
            return [prediction_of(row) for row in connection.execute(query)]


def _of(
    name: str, number: int | None, since: str | datetime | None, until: str | datetime | None
) -> "Select[tuple[Any, ...]]":
    query = select(PREDICTION).where(PREDICTION.c.name == check_name(name))
    if number is not None:
        query = query.where(PREDICTION.c.number == number)
    if since is not None:
        query = query.where(PREDICTION.c.at >= moment(since))
    if until is not None:
        query = query.where(PREDICTION.c.at < moment(until))
    return query


def thin(query: "Select[tuple[Any, ...]]", share: float) -> "Select[tuple[Any, ...]]":
    """Let a query give a share of the predictions, 0 to 1, by the ends of their ids; from 1 on all."""
    if share >= 1:
        return query
    end = func.substr(PREDICTION.c.id, func.length(PREDICTION.c.id) - 2)
    return query.where(end < f"{min(max(1, round(share * _PARTS)), _PARTS - 1):03x}")


def prediction_of(row: Any) -> Prediction:
    """Return the prediction that a row of the table holds."""
    return Prediction(row.name, row.number, unpack(row.row), unpack(row.answer), row.id, row.at)


def _taken(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Return those of the ids that are there."""
    found: list[str] = []
    for start in range(0, len(ids), 500):  # SQLite allows so many words in one question
        part = select(PREDICTION.c.id).where(PREDICTION.c.id.in_(ids[start : start + 500]))
        found += connection.execute(part).scalars()
    return found


def packed(one: Prediction) -> dict[str, Any]:
    """Return the row of the table that keeps a prediction.

    Raises
    ------
    StoreError : if no store can keep it: it is too long, or its name can be no model's.
    """
    return {
        "id": plain(one.id, "the id"),
        "name": check_name(one.name),
        "number": one.number,
        "at": moment(one.at) if one.at else now(),
        "row": pack(one.row),
        "answer": pack(one.answer),
    }
