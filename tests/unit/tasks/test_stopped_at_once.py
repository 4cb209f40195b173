"""A fit that is stopped before its first model keeps the baseline, and says so."""

import pytest

from mantic.core.run import Measured, Run
from mantic.tasks import walk
from mantic.tasks.classify import Classifier


def test_ctrl_c_while_libraries_are_loaded_keeps_the_baseline(churn_like, monkeypatch):
    told = []

    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(walk, "prepare", pressed)

    run = Run(listeners=[lambda event: told.append(event) if isinstance(event, Measured) else None])
    model = Classifier(budget="60s").fit(churn_like.drop("customer"), "churned", run=run)

    warnings = {one["code"]: one["text"] for one in model.report_.facts["warnings"]}
    share = (churn_like["churned"] == "yes").mean()
    assert told[0].name == "baseline"
    assert "stopped early at your wish" in warnings["interrupted"]
    assert warnings["no_search"] == "it was stopped before a search found better: this always says the same"
    assert model.predict_proba(churn_like)[:, 1] == pytest.approx(share, abs=0.02)
