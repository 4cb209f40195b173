"""A forecaster as one file, and back."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core import artifact
from mantic.core.errors import ArtifactError
from mantic.core.schema import UTC, Schema, is_zone
from mantic.features.series.assemble import Roles, Written
from mantic.learners.pretrained.hub import Named
from mantic.report.blocks import Report
from mantic.search.series.foretold import Foretold
from mantic.tasks.series_answer import answer_names
from mantic.tasks.series_asked import plain_parameters

_N_TRIED = 8  # series

if TYPE_CHECKING:
    from mantic.tasks.forecast import Forecaster


_LATER = ("as_of", "time_form", "time_zone", "as_of_form", "as_of_zone")  # roles that earlier files do not hold


def save(forecaster: "Forecaster", path: str | Path) -> Path:
    """Write a fitted forecaster to one `.mantic` file, atomically; return the path."""
    roles = forecaster.roles_
    manifest: dict[str, Any] = {
        "task": forecaster.task.name,
        "parameters": plain_parameters(forecaster.get_params()),
        "schema": json.loads(forecaster.schema_.to_json()),
        "target": json.loads(Schema((forecaster.target_,)).to_json()),
        "roles": {
            "time": roles.time,
            "target": roles.target,
            "series": list(roles.series),
            "known": list(roles.known),
            "as_of": roles.as_of,
            "time_form": roles.time_written.form,
            "time_zone": roles.time_written.zone,
            "as_of_form": roles.as_of_written.form,
            "as_of_zone": roles.as_of_written.zone,
            "fractional": list(roles.fractional),
        },
    }
    with tempfile.TemporaryDirectory(prefix="mantic-save-") as name:
        folder = Path(name)
        forecaster.told_.save(folder)
        return artifact.write(path, manifest=manifest, folder=folder, report=forecaster.report_.to_json())


def restore(opened: artifact.Artifact, where: str) -> "Forecaster":
    """Return the forecaster in a file that passed every check.

    Raises
    ------
    ArtifactError : if its content does not fit together.
    """
    from mantic.tasks.forecast import Forecaster

    manifest = opened.manifest
    try:
        names = set(Forecaster().get_params())
        made = Forecaster(**{key: value for key, value in manifest["parameters"].items() if key in names})
        if isinstance(made.pretrained, str):
            made.pretrained = Named(made.pretrained)
        roles = manifest["roles"]
        series, known = (tuple(map(str, roles[key])) for key in ("series", "known"))
        made.told_ = Foretold.load(opened.folder)
        was = [one.name for one in made.told_.ids.iter_columns() if one.str.contains(r"^-?\d+\.0$").any()]
        later = {key: str(roles.get(key, "")) for key in _LATER}
        time_written, as_of_written = (Written(later[f"{one}_form"], later[f"{one}_zone"]) for one in ("time", "as_of"))
        if not all(is_zone(one.zone or UTC) for one in (time_written, as_of_written)):
            raise ValueError("a time zone that nobody knows")
        fractional = tuple(map(str, roles.get("fractional", was)))
        made.roles_ = Roles(
            str(roles["time"]), str(roles["target"]), series, known, later["as_of"], time_written, as_of_written,
            fractional,
        )  # fmt: skip
        made.schema_ = Schema.from_json(json.dumps(manifest["schema"]))
        made.target_ = Schema.from_json(json.dumps(manifest["target"])).columns[0]
        made.report_ = Report.from_json(opened.report_text)
        made.version_, made._library = opened.version, "polars"
        repairs = [one["code"] for one in made.report_.facts.get("repairs", ())]
        if "sold_only" in repairs and not made.roles_.as_of:  # earlier files say it only there
            made.told_ = replace(made.told_, panel=replace(made.told_.panel, is_sold_only=True))
        if made.roles_.series != tuple(made.told_.ids.columns):
            raise ValueError("the series are told apart by other columns than the rows")
        if bool(made.roles_.as_of) != (made.told_.outbreak is not None):
            raise ValueError("it does not say when what was known")
        if made.told_.panel.known.shape[1] != len(made.roles_.known):
            raise ValueError("other columns are known beforehand than the series hold")
        try_out(made)
    except (Exception, pl.exceptions.PanicException) as error:  # each library has errors of its own for odd content
        raise ArtifactError(
            f"the parts of the model do not fit together: {error}", where=where,
            fix="fit the model again with this version of mantic",
        ) from error  # fmt: skip
    return made


def try_out(forecaster: "Forecaster") -> None:
    """Ask for the first step of a few series: what does not fit together shows here, not before a caller.

    Raises
    ------
    Exception : of any kind, if there is no answer.
    """
    told, roles = forecaster.told_, forecaster.roles_
    ids = told.ids.head(_N_TRIED)
    n_rows = ids.height or 1
    times = told.panel.calendar.times(told.steps()[:n_rows, 0]).alias(roles.time)
    known = [pl.Series(name, told.panel.known[:n_rows, place]) for place, name in enumerate(roles.known)]
    rows = forecaster.schema_.align(pl.DataFrame([*ids.iter_columns(), times, *known]))
    for name in (*roles.series, roles.time, roles.target):
        name.encode()  # half a character could be in no answer
    answers = forecaster.predict(rows)
    if not np.isfinite(answers.select(answer_names(forecaster.levels)).to_numpy()).all():
        raise ValueError("its answers are no numbers")
