"""How far apart the scores of two versions are."""

from dataclasses import replace

import pytest

from mantic.evaluate.difference import difference
from mantic.store.version import Version

ONE = Version(
    name="churn", number=1, sha256="", n_bytes=1, created="", by="", task="classify", target="churned",
    metric="log_loss", score=0.40, low=0.37, high=0.44, fingerprint="", note="", deleted=None,
)  # fmt: skip


def test_the_interval_joins_those_of_both_scores():
    found = difference(replace(ONE, score=0.50, low=0.46, high=0.53), ONE)

    assert found is not None
    assert found.value == pytest.approx(0.10)
    assert found.low == pytest.approx(0.10 - (0.04**2 + 0.04**2) ** 0.5)
    assert found.high == pytest.approx(0.10 + (0.03**2 + 0.03**2) ** 0.5)


@pytest.mark.parametrize(
    ("metric", "score", "words"),
    [
        ("log_loss", 0.60, "worse"), ("log_loss", 0.20, "better"), ("roc_auc", 0.60, "better"),
        ("roc_auc", 0.20, "worse"), ("log_loss", 0.42, "may be chance"), ("my own", 0.60, "more than chance"),
    ],
)  # fmt: skip
def test_whether_it_is_better_depends_on_the_metric(metric, score, words):
    found = difference(
        replace(ONE, metric=metric, score=score, low=score - 0.03, high=score + 0.03), replace(ONE, metric=metric)
    )

    assert found is not None
    assert found.words == words


@pytest.mark.parametrize("change", [{"metric": "roc_auc"}, {"low": None}, {"score": None}, {"target": "left"}])
def test_what_cannot_be_compared_has_no_difference(change):
    assert difference(replace(ONE, **change), ONE) is None
