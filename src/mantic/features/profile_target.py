"""Problems of the column that is to be predicted."""

from collections.abc import Iterator

from mantic.core.schema import Kind
from mantic.features.profile_view import View, listed, percent
from mantic.report.blocks import Alert

_RARE_ROWS = 10
_IMBALANCE = 0.05
_MANY_CLASSES = 100
_FEW_NUMBERS = 10


def target_problems(view: View) -> Iterator[Alert]:
    """Yield what stands in the way of predicting the target."""
    if view.target is None or view.n_rows == 0:
        return
    name, column = view.target, view.by_name[view.target]
    if column.kind is Kind.CONSTANT:
        yield Alert(
            "stop",
            "target_constant",
            f"the target '{name}' has one value only, or none",
            "there is nothing to predict",
            "check the export, or choose another target",
            name,
        )
        return
    if column.share_missing:
        yield Alert(
            "warning",
            "target_missing",
            f"the target '{name}' is missing in {percent(column.share_missing)} of the rows",
            "such rows can neither teach nor judge; they are left out",
            "find out whether they differ from the others",
            name,
        )
    if column.kind in (Kind.ID, Kind.TEXT, Kind.DATE, Kind.IMAGE):
        yield Alert(
            "warning",
            "target_kind",
            f"the target '{name}' holds {_KINDS[column.kind]}",
            "a table is fitted to a number or to categories that repeat",
            "choose another column, or make it a number",
            name,
        )
    elif column.kind is Kind.NUMBER:
        if column.n_levels <= _FEW_NUMBERS:
            yield Alert(
                "note",
                "target_kind",
                f"the target '{name}' is a number with {column.n_levels} values",
                "it may be a number to be met or a category to be chosen",
                "say which with --task regress or --task classify",
                name,
            )
    else:
        yield from _classes(view, name)


_KINDS = {
    Kind.ID: "a different value in every row",
    Kind.TEXT: "free text",
    Kind.DATE: "dates",
    Kind.IMAGE: "paths of pictures",
}


def _classes(view: View, name: str) -> Iterator[Alert]:
    counts = view.table[name].drop_nulls().value_counts(sort=True, name="n")
    n_rows, n_classes = int(counts["n"].sum()), counts.height
    smallest = counts.row(n_classes - 1)
    if n_classes > _MANY_CLASSES:
        yield Alert(
            "warning",
            "target_classes",
            f"the target '{name}' has {n_classes:,} classes",
            "there are few rows for each",
            "group them, or check that this is the column you mean",
            name,
        )
    share = smallest[1] / n_rows
    if share < min(_IMBALANCE, 0.4 / n_classes) and n_classes <= _MANY_CLASSES:
        yield Alert(
            "warning",
            "imbalance",
            f"'{name}' is {_word(smallest[0])} in only {smallest[1]:,} of {n_rows:,} rows ({percent(share)})",
            "always giving the other answer looks right most of the time, so the share of right answers misleads",
            "judge by average precision or log loss, and choose the threshold by what each error costs",
            name,
        )
    rare = [_word(level) for level, n in counts.rows() if n < _RARE_ROWS]
    if rare:
        yield Alert(
            "warning",
            "target_rare",
            f"classes of '{name}' with fewer than {_RARE_ROWS} rows: {listed(rare)}",
            "so few cannot be both learned from and judged on",
            "gather more, join them with others, or leave them out",
            name,
        )


def _word(level: object) -> str:
    return {True: "yes", False: "no"}.get(level, str(level)) if isinstance(level, bool) else str(level)
