"""A forecast: each series with what is to come, and all of them as a file."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core.calendar import moment_text
from mantic.core.errors import SettingsError
from mantic.evaluate.series.picture import Seen, picture
from mantic.report.blocks import Grid
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

_MOST_OFFERED = 500  # series; others are written down
_MOST_ROWS = 2_000_000  # of a file that is made at once


def show(view: View) -> "Response":
    """Show a series: what was, what is to come, and in which range."""
    model, version = _model(view)
    names = model.told_.names
    wanted = view.query.get("series", names[0])
    place = names.index(wanted) if wanted in names else -1
    body = live([_picture(model, place), _figures(model, place)]) if place >= 0 else ""
    return view.page(
        "forecast.html", version=version, names=names[:_MOST_OFFERED], n_series=len(names), wanted=wanted, body=body,
        horizon=model.told_.horizon, has_names=bool(model.roles_.series),
    )  # fmt: skip


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
    columns = [f"{100 * one:g} %" if one != 0.5 else "median" for one in levels]
    rows: list[tuple[str | float, ...]] = [
        (moment_text(moment), *(float(one) for one in (mean, *ends)))
        for moment, mean, ends in zip(times.to_list(), told.forecast[place], found, strict=True)
    ]
    note = "A column of 10 % is the value below which the truth lies in one case of ten."
    return Grid((model.roles_.time, "mean", *columns), tuple(rows), title="In figures", note=note)


PAGES = (
    get("/models/{name}/{number}/forecast", show),
    get("/models/{name}/{number}/forecast.csv", answers),
)
