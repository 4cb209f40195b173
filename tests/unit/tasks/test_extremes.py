"""What is too large to be measured is refused before the search; a report that stumbles does not cost the model."""

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.errors import SchemaError
from mantic.tasks import findings

VALUES = np.random.default_rng(0).normal(size=60)


@pytest.mark.parametrize("value", [1e160, -1e308])
def test_a_target_whose_squares_are_no_numbers_is_refused(value):
    frame = pl.DataFrame({"a": VALUES, "y": [value, *VALUES[1:]]})

    with pytest.raises(SchemaError, match=r"beyond 1e\+150"):
        mantic.Regressor(budget="1 trial").fit(frame, "y")


def test_rules_that_fail_do_not_cost_the_model(monkeypatch):
    def fails(subject, *, seed):
        raise OverflowError("too large")

    monkeypatch.setattr(findings, "rules_of", fails)

    model = mantic.Regressor(budget="1 trial").fit(pl.DataFrame({"a": VALUES, "y": 2 * VALUES}), "y")

    told = {one["code"]: one["text"] for one in model.report_.facts["warnings"]}
    assert told["part_failed"] == "there are no rules that imitate the model: OverflowError: too large"
    assert model.model_.parts
