"""Contributions per column: exact where a part of the model can say them, else by sampling orders."""

import numpy as np
import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.model import Model
from mantic.core.table import Array
from mantic.explain.mixture import Mixture, Pool, margins_of
from mantic.search.blend import Blend

_ROWS_AT_ONCE = 20_000  # mixed rows that are made in one step


def shapley(model: Model, frame: pl.DataFrame, background: pl.DataFrame, *, seed: int = 0, n_orders: int = 16) -> Array:
    """Say what each column of the user's table added to each answer.

    Parameters
    ----------
    frame : rows to explain, aligned.
    background : aligned rows that stand for the usual case; at most `n_orders` / 2 of them are used.
    n_orders : in how many orders columns are put in, each order also backwards; only when the model cannot say its
        contributions itself. Of a blend only the members that cannot say theirs are asked.

    Returns
    -------
    Shape (n_rows, n_columns + 1, n_outputs), the base last. The sum over the second axis is `model.margin(frame)`, to
    1e-6: along an order the steps telescope from a background row to the row itself.

    Raises
    ------
    SchemaError : if `background` is needed and empty.

    Source: Strumbelj and Kononenko (2014), Explaining prediction models and individual predictions with feature
    contributions; Lundberg and Lee (2017); antithetic orders as in Mitchell et al. (2022).
    """
    known = model.contributions(frame)
    if known is not None:
        return known
    if background.is_empty():
        raise SchemaError("there are no background rows", where="explain", fix="give some rows of the training table")
    n_pairs = max(1, n_orders // 2)
    if isinstance(model, Blend):
        says, silent = model.apart()
        exact = says.contributions(frame) if says.parts else None
        if exact is not None:
            return exact + _sampled(silent, frame, background, seed=seed, n_pairs=n_pairs)
    return _sampled(model, frame, background, seed=seed, n_pairs=n_pairs)


def _sampled(model: Model, frame: pl.DataFrame, background: pl.DataFrame, *, seed: int, n_pairs: int) -> Array:
    random = np.random.default_rng(seed)
    used = [place for place, column in enumerate(model.schema.columns) if column.is_used]
    places = random.choice(background.height, n_pairs, replace=background.height < n_pairs)
    usual = background[places]
    orders = [random.permutation(len(used)) for _ in range(n_pairs)]
    masks = np.concatenate([np.stack([_masks(order), _masks(order[::-1])]) for order in orders])
    start = np.repeat(np.arange(n_pairs), 2)  # which background row each order begins with
    if not used:
        margin = model.margin(frame)[:, None, :]
        return np.pad(margin, ((0, 0), (len(model.schema), 0), (0, 0)))
    parts = []
    step = max(1, _ROWS_AT_ONCE // (masks.shape[0] * masks.shape[1]))
    for at in range(0, frame.height, step):
        rows = frame[at : at + step]
        margins = _margins(model, rows, usual, masks=masks, start=start, used=used)
        found = np.zeros((rows.height, len(model.schema) + 1, margins.shape[3]))
        found[:, -1] = margins[:, :, 0].mean(axis=1)  # every order begins with a background row as it is
        gains = np.diff(margins, axis=2)  # (n_rows, n_orders, n_used, n_outputs): in the order in which columns came
        for number, order in enumerate(order for one in orders for order in (one, one[::-1])):
            found[:, np.array(used)[order]] += gains[:, number] / len(start)
        parts.append(found)
    return np.concatenate(parts)


def _masks(order: Array) -> Array:
    """Return which columns come from the row itself after 0, 1, ... steps: bool, shape (n_used + 1, n_used)."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[None, :] < np.arange(len(order) + 1)[:, None]


def _margins(
    model: Model, rows: pl.DataFrame, usual: pl.DataFrame, *, masks: Array, start: Array, used: list[int]
) -> Array:
    """Return the margin of each mixture; shape (n_rows, n_orders, n_used + 1, n_outputs)."""
    n_rows, (n_orders, n_steps, n_used) = rows.height, masks.shape
    from_own = np.ones((n_rows * n_orders * n_steps, rows.width), dtype=bool)
    from_own[:, used] = np.tile(masks.reshape(-1, n_used), (n_rows, 1))
    mixture = Mixture(
        Pool(pl.concat([rows, usual])),
        own=np.repeat(np.arange(n_rows), n_orders * n_steps),
        other=np.tile(np.repeat(start, n_steps), n_rows) + n_rows,
        from_own=from_own,
    )
    return margins_of(model, mixture).reshape(n_rows, n_orders, n_steps, -1)
