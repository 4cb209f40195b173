"""The table that stands beside every chart, for whoever cannot see it or wants the figures."""

from mantic.report.blocks import Cell, Chart, Grid, Series

_MOST_ROWS = 200


def as_grid(chart: Chart) -> Grid | None:
    """Return the chart's figures as a table of at most 200 rows; None for a picture or an empty chart."""
    if chart.kind == "heat":
        columns, rows = _heat(chart)
    elif chart.kind == "box":
        columns = (chart.x.label or "group", "low", "first quarter", "median", "third quarter", "high")
        rows = [(series.name, *series.y) for series in chart.series if len(series.y) == 5]
    else:
        columns, rows = _points(chart)
    if not rows:
        return None
    note = f"the first {_MOST_ROWS} of {len(rows):,} rows" if len(rows) > _MOST_ROWS else ""
    return Grid(columns, tuple(rows[:_MOST_ROWS]), note=note)


def _heat(chart: Chart) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    width = max((len(row) for row in chart.matrix), default=0)
    heads = [_label(chart.x.labels, place) for place in range(width)]
    first = " / ".join(label for label in (chart.y.label, chart.x.label) if label)
    rows: list[tuple[Cell, ...]] = []
    for place, row in enumerate(chart.matrix):
        rows.append((_label(chart.y.labels, place), *row, *(None,) * (width - len(row))))
    return (first, *heads), rows


def _label(labels: tuple[str, ...], place: int) -> str:
    return labels[place] if place < len(labels) else str(place + 1)


def _points(chart: Chart) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    has_name = len(chart.series) > 1
    has_range = any(series.low and series.high for series in chart.series)
    has_text = any(series.texts for series in chart.series)
    x_name, y_name = chart.x.label or "place", chart.y.label or "value"
    optional = (
        (has_name, ("series",)),
        (True, (x_name, y_name)),
        (has_range, ("low", "high")),
        (has_text, ("remark",)),
    )
    columns = tuple(name for is_wanted, names in optional if is_wanted for name in names)
    rows: list[tuple[Cell, ...]] = []
    for series in chart.series:
        for place, y in enumerate(series.y):
            row: list[Cell] = [series.name] if has_name else []
            row += [_where(chart, series, place), y]
            row += [_at(series.low, place), _at(series.high, place)] if has_range else []
            row += [_at(series.texts, place)] if has_text else []
            rows.append(tuple(row))
    return columns, rows


def _where(chart: Chart, series: Series, place: int) -> Cell:
    if chart.kind not in ("points", "histogram") and place < len(chart.x.labels) and not series.x:
        return chart.x.labels[place]
    return series.x[place] if place < len(series.x) else place + 1


def _at(values: tuple[Cell, ...], place: int) -> Cell:
    return values[place] if place < len(values) else None
