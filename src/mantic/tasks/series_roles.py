"""Which columns are what in a forecast, and what does not go together."""

from mantic.core.errors import SchemaError, SettingsError
from mantic.features.series.assemble import Roles
from mantic.search.series.basis import BASIS
from mantic.tasks import series_answer
from mantic.tasks.series_asked import Asked


def check_roles(roles: Roles, asked: Asked) -> None:
    """Check that no column has two roles, and that what was asked goes together.

    Raises
    ------
    SchemaError : if a column has two roles, or the name of one of the answer.
    SettingsError : if a choice does not go with the roles.
    """
    capacity, pretrained = asked.parameters["capacity"], asked.parameters["pretrained"]
    own = [*series_answer.answer_names(asked.levels), series_answer.OVER, BASIS]
    own += [series_answer.LEVEL] if asked.hierarchy else []
    twice = (roles.time, roles.target, *roles.series, *roles.known, *((roles.as_of,) if roles.as_of else ()))
    if roles.as_of and roles.known:
        raise SettingsError(
            "columns that are known beforehand are not used for an outbreak", where="known",
            fix="leave known or as_of out",
        )  # fmt: skip
    if capacity is not None and not roles.as_of:
        raise SettingsError(
            "a capacity is watched only where a column says when values were known", where="capacity",
            fix="name that column with as_of=, or leave capacity out",
        )  # fmt: skip
    if len(set(twice)) < len(twice):
        raise SchemaError(
            "a column has two roles", where=f"time, target, series, known, as_of: {', '.join(twice)}",
            fix="name each column once",
        )  # fmt: skip
    if roles.known and asked.hierarchy:
        raise SettingsError(
            f"{', '.join(roles.known)}: nothing says what a price or its like is of a sum", where="Forecaster",
            fix="leave out known= or hierarchy=",
        )  # fmt: skip
    if roles.as_of and asked.hierarchy:
        raise SettingsError(
            "sums are not formed where values are revised", where="Forecaster", fix="leave out as_of= or hierarchy="
        )
    if roles.as_of and asked.country:
        raise SettingsError(
            "holidays are not reckoned with where values are revised", where="country",
            fix="leave out as_of= or country=",
        )  # fmt: skip
    if roles.as_of and pretrained:
        fix = "leave out as_of= or pretrained="
        raise SettingsError("a pretrained model is not asked where values are revised", where="Forecaster", fix=fix)
    if asked.hierarchy and not roles.series:
        raise SettingsError("a hierarchy of one series", where="Forecaster", fix="name columns with series=")
    taken = [name for name in (roles.time, *roles.series) if name in own]
    if taken:
        raise SchemaError(
            f"columns of the answer would be called like {', '.join(taken)}", where="the table",
            fix="rename these columns",
        )  # fmt: skip
