"""A support vector machine keeps its form when it is fitted again on more rows."""

import numpy as np
import pytest

from mantic.core.table import Table, Target
from mantic.learners.table import svm
from mantic.learners.table.svm import SupportVectors


@pytest.mark.parametrize(("n_rows", "form"), [(60, "exact"), (200, "landmarks")])
def test_the_form_follows_the_rows_and_is_kept_on_more_rows(n_rows, form, monkeypatch, quiet_run):
    monkeypatch.setattr(svm, "_N_EXACT", 100)
    monkeypatch.setattr(svm, "_N_LANDMARKS", 50)
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(240, 3))
    table = Table(numbers, ("a", "b", "c"), np.arange(3))
    target = Target((numbers[:, 0] > 0).astype(np.int64), 2)
    some = np.arange(n_rows)

    first = SupportVectors().fit(table.rows(some), target.rows(some), {}, quiet_run)
    again = SupportVectors().fit(table, target, first.found_, quiet_run)

    assert first.found_ == {"form": form}
    assert again.found_ == {"form": form}
    assert hasattr(again.model_, "support_vectors_") == (form == "exact")
