"""A model whose library is not installed is no model to serve: said before anybody asks."""

import sys

import pytest

import mantic as package
from mantic.core.learner import LEARNERS, is_installed


@pytest.mark.parametrize("learner", ["xgboost", "catboost"])
def test_a_model_whose_library_is_absent_is_refused_at_the_start(learner, mantic, churn_like, monkeypatch):
    if not is_installed(LEARNERS.get(learner)):
        pytest.skip(f"{learner} is not installed")
    options = {"learners": [learner], "params": {f"{learner}.rounds": 20}}
    package.Classifier(budget="1 trial", **options).fit(churn_like.head(100), "churned").save("model.mantic")
    for name in [name for name in sys.modules if name.partition(".")[0] == learner]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, learner, None)  # as Python says it of what is not there

    done = mantic("serve", "model.mantic", "--port", "0")

    assert done.code == 2
    assert f"mantic[{learner}]" in done.err
    assert "serving" not in done.err
