"""What a pretrained model says of series, beside what its own library says."""

import pickle
import shutil
import warnings
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from tests.tiny_models import BOLT, REACH, TWO, make, make_mean

from mantic.core.budget import Deadline
from mantic.core.calendar import Calendar
from mantic.core.errors import ArtifactError
from mantic.core.executor import Here, Processes
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.learners.pretrained.chronos import opened
from mantic.learners.pretrained.method import NAME, Pretrained
from mantic.learners.pretrained.weights import found
from mantic.search.series.backtest import FREE, Menu, backtest

FAMILIES = [BOLT, TWO]


@pytest.fixture
def brought(tiny_models):
    """Return what makes a method of a family's tiny model."""
    return lambda family: Pretrained(found(str(tiny_models[family])))


def panel_of(*series: np.ndarray) -> Panel:
    values = np.concatenate(series).astype(float)
    bounds = np.concatenate([[0], np.cumsum([len(one) for one in series])])
    calendar = Calendar.named("D")
    last = calendar.steps(pl.Series([date(2024, 3, 31)] * len(series)))
    return Panel(values, values.copy(), bounds, last, calendar, (7,), np.zeros((len(values), 0)))


def waves(n_steps: int, seed: int = 0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return 50 + 10 * np.sin(np.arange(n_steps) * 2 * np.pi / 7) + chance.normal(size=n_steps)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n_more", [-3, 0, 1, 20])
def test_it_says_what_its_own_library_says(tiny_models, brought, family, n_more):
    import torch
    from chronos import BaseChronosPipeline

    lengths, horizon = (9, 40, 64, 200), REACH[family] + n_more
    series = [waves(n, seed=n) for n in lengths]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = BaseChronosPipeline.from_pretrained(tiny_models[family])
        asked = [torch.tensor(one, dtype=torch.float32) for one in series]
        quantiles, _ = pipeline.predict_quantiles(asked, prediction_length=horizon, quantile_levels=[0.5])
    theirs = np.stack([np.asarray(one).reshape(horizon) for one in quantiles])

    ours = brought(family).forecast(panel_of(*series), horizon, Run())

    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert np.ptp(ours, axis=1).min() > 0  # it does say something


@pytest.mark.parametrize("family", FAMILIES)
def test_series_of_any_kind_are_answered_with_finite_numbers(brought, family):
    odd = [
        np.array([5.0]), np.array([1.0, 2.0]), np.zeros(60), np.full(60, 3.0), -np.ones(40), 1e12 * waves(50),
        1e-12 * waves(50), np.r_[np.zeros(50), 1e6], np.arange(500.0),
    ]  # fmt: skip

    found = brought(family).forecast(panel_of(*odd), 9, Run())

    assert np.isfinite(found).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_series_far_from_zero_is_seen_as_well_as_one_near_it(brought, family):
    near = waves(60)

    found = brought(family).forecast(panel_of(near, near + 1e9, near * 1e9), 9, Run())

    np.testing.assert_allclose(found[1] - 1e9, found[0], rtol=1e-3)
    np.testing.assert_allclose(found[2], found[0] * 1e9, rtol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_does_not_depend_on_who_is_asked_beside(brought, family):
    series = [waves(20 + 2 * number, seed=number) for number in range(90)]
    method = brought(family)

    together = method.forecast(panel_of(*series), 9, Run())
    again = method.forecast(panel_of(*series), 9, Run())

    np.testing.assert_array_equal(again, together)
    alone = np.concatenate([method.forecast(panel_of(one), 9, Run()) for one in (series[0], series[70])])
    np.testing.assert_allclose(together[[0, 70]], alone, rtol=1e-4)


def test_only_what_it_can_see_counts(brought):
    series = waves(200)
    changed = np.r_[np.full(200 - 64, 1e6), series[-64:]]

    found = brought(BOLT).forecast(panel_of(series, changed), 9, Run())

    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_deadline_that_has_passed_ends_the_work(brought, family):
    found = brought(family).forecast(panel_of(waves(60)), 9, Run(deadline=Deadline.after(0)))

    assert found.shape == (1, 9)
    assert np.isnan(found).all()


def test_threads_are_those_of_the_run_and_then_the_users_again(brought):
    import torch

    before = torch.get_num_threads()
    seen = []
    method = brought(BOLT)
    pipeline = opened(method.weights)
    hook = pipeline.model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    try:
        method.forecast(panel_of(waves(60)), 5, Run(threads=before + 2))
    finally:
        hook.remove()

    assert seen == [before + 2]
    assert torch.get_num_threads() == before


def test_a_network_of_other_layers_than_the_file_is_refused_before_anything_is_allocated(tiny_models, tmp_path):
    folder = shutil.copytree(tiny_models[TWO], tmp_path / "model")
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"num_layers": 2', '"num_layers": 200'))

    with pytest.raises(ArtifactError, match="tensors are missing or of another shape, as encoder"):
        opened(found(str(folder)))


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    folder = make(BOLT, tmp_path)
    file = folder / "model.safetensors"
    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    file.write_bytes(content[:start] + b"\xff" * (len(content) - start))

    with pytest.raises(ArtifactError, match="its weights hold what is no number"):
        opened(found(str(folder)))


def test_a_worker_gets_the_method_and_not_the_weights(brought):
    method = brought(TWO)
    opened(method.weights)

    content = pickle.dumps(method)

    assert len(content) < 20_000
    assert pickle.loads(content) == method


def test_workers_say_what_this_process_says(tmp_path):
    method = Pretrained(found(str(make_mean(BOLT, tmp_path))))
    panel, menu = panel_of(*[waves(60, seed=number) for number in range(6)]), Menu(names=FREE, guest=method)
    workers = Processes(1)
    try:
        there = backtest(panel, 7, executor=workers, run=Run(), menu=menu)
    finally:
        workers.close()

    here = backtest(panel, 7, executor=Here(), run=Run(), menu=menu)

    assert NAME in here.names
    assert there.names == here.names
    np.testing.assert_array_equal(there.future, here.future)
    np.testing.assert_array_equal(there.past, here.past)


def test_the_ledger_counts_what_loading_took_and_a_short_budget_leaves_it_out(brought, monkeypatch):
    from mantic.search.series import backtest as module

    method = brought(BOLT)
    opened.cache_clear()
    menu = Menu(names=FREE, guest=method)
    panel = panel_of(*[waves(60, seed=number) for number in range(6)])
    loaded = backtest(panel, 7, executor=Here(), run=Run(), menu=menu).ledger[-1]
    again = backtest(panel, 7, executor=Here(), run=Run(), menu=menu).ledger[-1]
    monkeypatch.setattr(module, "to_load", lambda about: {"torch": 3.0} if "torch" in about.needs else {})

    late = backtest(panel, 7, executor=Here(), run=Run(deadline=Deadline.after(4)), menu=menu).ledger[-1]

    assert (loaded.method, loaded.outcome) == (NAME, "used")
    assert loaded.spent > again.spent > 0
    assert (late.outcome, late.reason, late.spent) == ("no time", "loading torch takes about 3 s", 0.0)


def test_a_model_that_could_never_answer_in_time_is_not_begun(brought):
    huge = Pretrained(replace(brought(BOLT).weights, n_weights=10**12))
    run = Run(deadline=Deadline.after(30))

    line = backtest(panel_of(waves(60)), 7, executor=Here(), run=run, menu=Menu(names=FREE, guest=huge)).ledger[-1]

    assert line.outcome == "no time"
    assert "takes about" in line.reason
    assert run.deadline.left() > 15
