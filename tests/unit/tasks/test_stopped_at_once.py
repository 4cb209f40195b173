"""A fit that is stopped keeps what it has: before its first model the baseline, later what was fitted by then."""

import numpy as np
import polars as pl
import pytest

from mantic.core.run import Measured, Run
from mantic.search import refit
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


def test_ctrl_c_while_the_best_are_fitted_again_keeps_those_that_are_done(monkeypatch):
    rng, done, fit = np.random.default_rng(0), [], refit.run_trial
    frame = pl.DataFrame(rng.normal(size=(2_500, 2)), ["a", "b"])
    frame = frame.with_columns(y=(pl.col("a") + pl.Series(rng.normal(0, 0.3, 2_500)) > 0).cast(pl.String))

    def pressed_at_the_third(job):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(job.candidate.learner)
        return fit(job)

    monkeypatch.setattr(refit, "run_trial", pressed_at_the_third)

    model = Classifier(budget="3 trials", learners=["linear", "naive_bayes", "tree"]).fit(frame, "y")

    assert sorted(part.member.learner.name for part in model.model_.parts) == sorted(done)
    assert [one["code"] for one in model.report_.facts["warnings"]] == ["interrupted"]
    assert (model.predict(frame) == frame["y"].to_numpy()).mean() > 0.85
