"""Series are added up by what tells them apart."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SchemaError, SettingsError
from mantic.features.series.assemble import Roles
from mantic.features.series.hierarchy import Hierarchy, gather
from mantic.features.series.prepare import Prepared, prepare

SHOPS = {("N", "a"): 1.0, ("N", "b"): 2.0, ("S", "c"): 4.0}
ITEMS = {"tea": 1.0, "milk": 10.0}
DAYS = pl.date_range(date(2024, 1, 1), date(2024, 1, 30), eager=True)


def rows(days: pl.Series = DAYS) -> pl.DataFrame:
    """Return sales that are the shop's number times the item's, more by one on each day."""
    frames = [
        pl.DataFrame({"day": days, "region": region, "shop": shop, "item": item}).with_columns(
            sold=of_shop * of_item * (1 + (pl.col("day") - DAYS[0]).dt.total_days())
        )
        for (region, shop), of_shop in SHOPS.items()
        for item, of_item in ITEMS.items()
    ]
    return pl.concat(frames)


def summed(frame: pl.DataFrame, *columns: str) -> tuple[Prepared, Hierarchy]:
    roles = Roles("day", "sold", ("region", "shop", "item"))
    return gather(prepare(frame, roles), columns)


def test_every_set_of_columns_that_cuts_differently_is_a_level():
    _, hierarchy = summed(rows(), "all")

    # region / shop cuts as shop does, and region / shop / item as shop / item: these are no levels of their own
    assert hierarchy.levels == (
        "total", "region", "item", "region / shop", "region / item", "region / shop / item",
    )  # fmt: skip
    assert np.bincount(hierarchy.level).tolist() == [1, 2, 2, 3, 4, 6]
    assert hierarchy.n_sums == 12


def test_sums_are_formed_only_over_the_columns_that_are_named():
    _, hierarchy = summed(rows(), "region")

    assert hierarchy.levels == ("total", "region", "region / shop / item")


def test_a_sum_is_the_sum_of_its_series_at_each_step():
    prepared, hierarchy = summed(rows(), "all")

    ids = prepared.ids.with_columns(place=pl.int_range(pl.len()))
    north_tea = ids.filter((pl.col("region") == "N") & (pl.col("shop") == "") & (pl.col("item") == "tea"))
    assert prepared.panel.one(north_tea["place"][0]).tolist() == [3.0 * step for step in range(1, 31)]
    assert prepared.panel.one(0)[-1] == (1 + 2 + 4) * 11 * 30
    assert prepared.names[0] == "total"
    assert prepared.names[-1] == "S / c / tea"
    bottom = np.stack([prepared.panel.one(place) for place in range(hierarchy.n_sums, hierarchy.n_nodes)])
    np.testing.assert_allclose(hierarchy.sums(bottom)[0], prepared.panel.one(0))


def test_a_series_counts_as_0_before_it_begins_and_is_carried_on_when_it_ends_early():
    is_c = pl.col("shop") == "c"
    late = rows().filter(~is_c | ((pl.col("day") > DAYS[4]) & (pl.col("day") < DAYS[-3])))

    prepared, _ = summed(late, "region")

    total = prepared.panel.one(0)
    assert total[0] == (1 + 2) * 11  # shop c was not there yet
    assert total[5] == (1 + 2 + 4) * 11 * 6
    assert total[-1] == pytest.approx((1 + 2) * 11 * 30 + 4 * 11 * 27)  # its last value, three days later
    observed = prepared.panel.truth[prepared.panel.bounds[0] : prepared.panel.bounds[1]]
    assert np.isnan(observed[-3:]).all()
    assert np.isfinite(observed[:-3]).all()
    assert (prepared.panel.last == prepared.panel.last[0]).all()
    assert "carried_on" in [one.code for one in prepared.findings]


def test_a_row_without_a_name_cannot_be_told_from_a_sum():
    with pytest.raises(SchemaError, match="region: empty in some rows"):
        summed(rows().with_columns(region=pl.lit(None, pl.String)), "all")


def test_too_many_columns_are_refused():
    frame = rows().with_columns(pl.col("shop").alias(f"more {number}") for number in range(7))
    names = [f"more {number}" for number in range(7)]

    with pytest.raises(SettingsError, match="7 columns"):
        gather(prepare(frame, Roles("day", "sold", (*names, "item"))), names)


def test_one_moment_far_from_the_others_does_not_carry_all_series_there():
    late = rows().head(1).with_columns(day=pl.lit(date(2974, 1, 1)))

    with pytest.raises(SchemaError, match="carried on to their common end"):
        summed(
            pl.concat([rows().with_columns(shop=pl.format("{}{}", "shop", pl.lit(n))) for n in range(30)] + [late]),
            "all",
        )
