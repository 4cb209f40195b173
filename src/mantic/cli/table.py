"""The lenient door for saved models: columns by name in any order, warnings told."""

from typing import Any

import polars as pl

from mantic.cli.kept import model_file
from mantic.cli.words import load_plugins
from mantic.core.run import Run
from mantic.core.settings import read_settings


def load_model(words: str, plugins: list[str], signature: str | None = None) -> Any:
    """Return the fitted estimator in a file or in the store, with the user's own learners at hand.

    Parameters
    ----------
    words : a path, or a reference like `churn@champion`.
    signature : "require" or "off"; as it is set when absent.
    """
    settings = read_settings({"store.signature": signature}).store
    with model_file(words, settings) as path:
        load_plugins(plugins)
        from mantic.tasks.base import load

        return load(path)


def read_for(model: Any, address: str, run: Run) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows as the model wants them, and as they were read.

    Columns that the model does not know are left out; those that it does not use may be absent; categories that it
    has not seen are told as a warning.

    Raises
    ------
    SchemaError : names every column and value that does not fit.
    """
    from mantic.serve.answer import aligned
    from mantic.serve.question import unknown_categories
    from mantic.sources.read import read
    from mantic.sources.types import texts_in

    raw = read(address, run=run, as_written=texts_in(model.schema_))
    frame = aligned(raw, model.schema_, where=address)
    for one in unknown_categories(frame, model.schema_):
        run.warn(one["code"], one["text"], column=one["column"])
    return frame, raw
