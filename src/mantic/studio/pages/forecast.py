"""A forecast: each series with what is to come, and all of them as a file."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core.calendar import moment_text
from mantic.core.errors import SettingsError
from mantic.evaluate.series.picture import Seen, picture
from mantic.report.blocks import Grid
from mantic.report.numbers import say
from mantic.serve.parts import write_spreadsheet
from mantic.sources.frames import to_polars
from mantic.studio.charts import live
from mantic.studio.route import get
from mantic.studio.view import NoPageError, View
from mantic.tasks.series_answer import probabilities

if TYPE_CHECKING:
    from starlette.responses import Response

    from mantic.store.version import Version
    from mantic.tasks.forecast import Forecaster

_MOST_CHOSEN = 12  # series of which one is picked from a list; among more one is looked for by its name
_MOST_OFFERED = 500  # names that a browser completes
_MOST_FOUND = 50  # that are listed where several names hold what is looked for
_MOST_ROWS = 2_000_000  # of a file that is made at once


def show(view: View) -> "Response":
    """Show a series: what was, what is to come, and in which range."""
    model, version = _model(view)
    names = model.told_.names
    wanted = view.query.get("series", names[0]).strip()
    found = _found(names, wanted)
    place = found[0] if len(found) == 1 else -1
    beside = [names[(place + step) % len(names)] for step in (-1, 1)] if place >= 0 else []
    shown: dict[str, Any] = {"body": "", "ends": ("", "")} if place < 0 else _shown(model, place)
    return view.page(
        "forecast.html", version=version, names=names[:_MOST_OFFERED], n_series=len(names), wanted=wanted,
        has_names=bool(model.roles_.series), is_few=len(names) <= _MOST_CHOSEN, beside=beside,
        found=[names[one] for one in found[:_MOST_FOUND]], n_found=len(found), horizon=model.told_.horizon,
        known=model.roles_.known, **shown,
    )  # fmt: skip


def _found(names: Sequence[str], wanted: str) -> list[int]:
    """Return the place of the series of a name, or of all whose name holds what is looked for.

    >>> _found(("A", "A / x", "B"), "A"), _found(("A", "A / x", "B"), "x"), _found(("A 1", "A 2"), "a")
    ([0], [1], [0, 1])
    """
    if wanted in names:
        return [list(names).index(wanted)]
    return [place for place, name in enumerate(names) if wanted.casefold() in name.casefold()]


def _shown(model: "Forecaster", place: int) -> dict[str, Any]:
    told = model.told_
    ends = told.panel.calendar.times(told.panel.last[place] + np.array([1, told.horizon])).to_list()
    blocks = [_picture(model, place), _figures(model, place)]
    return {"body": live(blocks), "ends": tuple(moment_text(one) for one in ends)}


def answers(view: View) -> "Response":
    """Give all series as CSV; no text in it is a formula."""
    from starlette.responses import Response

    model, version = _model(view)
    if model.told_.forecast.size > _MOST_ROWS:
        fix = f"mantic predict {version.name}/{version.number} --out forecast.csv"
        raise SettingsError(f"the file would have {model.told_.forecast.size:,} rows", where=version.name, fix=fix)
    out = BytesIO()
    write_spreadsheet(to_polars(model.predict()), out)
    headers = {"content-disposition": f'attachment; filename="{version.name}-forecast.csv"'}
    return Response(out.getvalue(), media_type="text/csv", headers=headers)


def _model(view: View) -> "tuple[Forecaster, Version]":
    name, number = view.path["name"], view.number()
    version = view.studio.store.models.get(f"{name}/{number}")
    served = view.studio.loaded.served(name, number)
    if served.task != "forecast":
        raise NoPageError("this model is no forecast", where=f"{name}/{number}", fix="open Try it")
    model: Any = served.model
    return model, version


def _quantiles(model: "Forecaster", place: int) -> tuple[Any, Any]:
    levels = probabilities(model.levels)
    return levels, model.told_.quantiles(levels)[place]


def _picture(model: "Forecaster", place: int) -> Any:
    told, (levels, found) = model.told_, _quantiles(model, place)
    name = told.names[place] or model.target_.name
    band, level = found[:, [0, -1]], float(levels[-1] - levels[0])
    seen = Seen(told.panel, place, told.forecast[place], band, level)
    return picture(seen, title=name, name=name, target=model.target_.name)


def _figures(model: "Forecaster", place: int) -> Grid:
    told, (levels, found) = model.told_, _quantiles(model, place)
    times: pl.Series = told.panel.calendar.times(told.panel.last[place] + np.arange(1, told.horizon + 1))
    heads = [model.roles_.time, "mean", *(f"{100 * one:g} %" if one != 0.5 else "median" for one in levels)]
    columns = [told.forecast[place], *found.T]
    note = "A column of 10 % is the value below which the truth lies in one case of ten."
    if told.outbreak is not None and told.outbreak.capacity is not None:
        heads.append(f"over {say(told.outbreak.capacity)}")
        columns.append(100 * told.outbreak.above(told.outbreak.capacity)[place])
        note += " The last column says, in per cent, how likely more than that is."
    rows: list[tuple[str | float, ...]] = [
        (moment_text(moment), *map(float, values)) for moment, *values in zip(times.to_list(), *columns, strict=True)
    ]
    return Grid(tuple(heads), tuple(rows), title="In figures", note=note)


PAGES = (
    get("/models/{name}/{number}/forecast", show),
    get("/models/{name}/{number}/forecast.csv", answers),
)
