"""A pretrained model in a Forecaster: it comes in by name only, is judged like the others, and is found again."""

import json
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from tests.tiny_models import BOLT, TWO, make, make_mean

import mantic
from mantic.core.errors import ArtifactError, MissingExtraError, SettingsError, SourceError
from mantic.core.run import Run

DAYS = pl.date_range(date(2024, 1, 1), date(2024, 6, 28), eager=True)
ASKED = {"time": "day", "target": "sold", "series": "store"}
HORIZON = 14


def noise(days: pl.Series = DAYS) -> pl.DataFrame:
    """Return four stores whose sales have no pattern: their mean is the best forecast."""
    return pl.concat(
        pl.DataFrame(
            {"day": days, "store": store, "sold": 100 + 10 * np.random.default_rng(seed).normal(size=len(days))}
        )
        for seed, store in enumerate("ABCD")
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_mean(BOLT, tmp_path_factory.mktemp("weights") / "bolt")


@pytest.fixture(scope="module")
def saved(folder, tmp_path_factory) -> Path:
    model = mantic.Forecaster(HORIZON, budget="1 trial", pretrained=folder).fit(noise(), **ASKED)
    return model.save(tmp_path_factory.mktemp("saved") / "noise.mantic")


@pytest.fixture
def model(saved) -> mantic.Forecaster:
    return mantic.load(saved)


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    more = pl.date_range(DAYS[0], DAYS[-1] + timedelta(days=5), eager=True)
    return noise(more).filter(pl.col("day") > DAYS[-1])


def test_it_is_one_voice_among_others_and_the_report_says_so(model, folder):
    facts = model.report_.facts

    about, warned = facts["pretrained"], [one for one in facts["warnings"] if one["code"] == "pretrained"]
    assert 0 < about["weight"] <= 1
    assert facts["weights"]["pretrained"] == pytest.approx(about["weight"])
    assert (about["source"], about["family"], about["outcome"]) == (str(folder), BOLT, "used")
    assert "it may have learned from their very past" in warned[0]["text"]
    line = next(one for one in facts["learners"] if one["name"] == "pretrained")
    assert line["loss"] < 1
    assert line["spent"] > 0


def test_quantiles_rise(model):
    table = model.predict()

    rising = table.select("q0.025", "q0.1", "q0.25", "median", "q0.75", "q0.9", "q0.975").to_numpy()
    assert (np.diff(rising, axis=1) >= 0).all()
    assert abs(table["mean"] - 100).max() < 10


def test_where_others_are_better_it_has_no_weight_and_nothing_is_needed_later(tiny_models, tmp_path):
    weeks = noise().with_columns(sold=pl.col("sold") / 10 + 100 * (pl.col("day").dt.weekday() > 5))
    folder = shutil.copytree(tiny_models[TWO], tmp_path / "model")

    model = mantic.Forecaster(HORIZON, budget="2 trials", pretrained=str(folder)).fit(weeks, **ASKED)

    assert model.report_.facts["pretrained"]["weight"] == 0
    assert "is no part of the forecast: on the past the others" in model.report_.facts["warnings"][-1]["text"]
    shutil.rmtree(folder)
    model.update(weeks.with_columns(pl.col("day").dt.offset_by("180d")))


@pytest.mark.parametrize("family", [BOLT, TWO])
def test_gaps_long_horizons_and_short_series_are_forecast(tiny_models, family):
    holes = noise().with_columns(
        sold=pl.when((pl.int_range(pl.len()) % 11 < 3) & (pl.col("store") == "A")).then(None).otherwise("sold")
    )
    short = holes.filter((pl.col("store") != "B") | (pl.col("day") > DAYS[-1] - timedelta(days=3)))

    model = mantic.Forecaster(40, budget="1 trial", pretrained=tiny_models[family]).fit(short, **ASKED)

    line = next(one for one in model.report_.facts["learners"] if one["name"] == "pretrained")
    assert line["outcome"] == "used"
    assert np.isfinite(model.predict()["mean"].to_numpy()).all()


def test_sums_and_what_is_known_beforehand_go_with_it(folder):
    rows = noise().with_columns(price=pl.Series(np.tile([1.0, 2.0], 4 * len(DAYS) // 2)))

    sums = mantic.Forecaster(7, budget="1 trial", pretrained=folder, hierarchy="all").fit(rows, **ASKED)
    known = mantic.Forecaster(7, budget="1 trial", pretrained=folder).fit(rows, known="price", **ASKED)

    table = sums.predict()
    total = table.filter(pl.col("level") == "total")["mean"].to_numpy()
    parts = table.filter(pl.col("level") == "store").group_by("day", maintain_order=True).agg(pl.col("mean").sum())
    np.testing.assert_allclose(total, parts["mean"].to_numpy())
    assert known.report_.facts["pretrained"]["outcome"] == "used"


def test_the_same_seed_repeats_to_the_byte(folder, saved, tmp_path):
    again = mantic.Forecaster(HORIZON, budget="1 trial", pretrained=folder).fit(noise(), **ASKED)

    assert again.predict().equals(mantic.load(saved).predict())


def test_it_can_be_cloned_with_its_parameters(folder):
    assert clone(mantic.Forecaster(7, pretrained=folder)).pretrained == folder


def test_a_file_is_loaded_and_answers_without_weights_and_without_torch(saved, tmp_path):
    copy = shutil.copy(saved, tmp_path / "noise.mantic")
    code = (
        "import sys, mantic; from pathlib import Path\n"
        f"table = mantic.load({str(copy)!r}).predict()\n"
        "print(table.height, {'torch', 'chronos', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.stdout.strip() == f"{4 * HORIZON} set()", done.stderr
    assert Path(copy).stat().st_size < 500_000


def test_a_fit_without_it_loads_nothing_of_it():
    code = (
        "import sys, mantic, polars; from datetime import date\n"
        "days = polars.date_range(date(2024, 1, 1), date(2024, 3, 1), eager=True)\n"
        "frame = polars.DataFrame({'day': days, 'y': [1.0 * day.day for day in days]})\n"
        "mantic.Forecaster(7, budget='1 trial').fit(frame, time='day', target='y')\n"
        "print({'torch', 'chronos', 'transformers', 'huggingface_hub', 'safetensors'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "set()", done.stderr


def test_an_update_asks_the_very_model_again(model, later):
    model.update(later)

    voice = model.told_.voices[model.told_.mixture.names.index("pretrained")]
    assert np.isfinite(voice).all()
    assert model.predict()["day"].min() == later["day"].max() + timedelta(days=1)
    assert abs(voice - 100).max() < 5


def test_an_update_without_the_folder_says_so_and_changes_nothing(model, later, folder, tmp_path):
    before = model.predict()
    moved = shutil.copytree(folder, tmp_path / "moved")
    model.set_params(pretrained=str(tmp_path / "gone"))

    with pytest.raises(ArtifactError) as caught:
        model.update(later)

    assert caught.value.what == "the forecast needs its pretrained model: there is no such folder"
    assert "set_params(pretrained=None) goes on without it" in caught.value.fix
    assert model.predict().equals(before)
    model.set_params(pretrained=str(moved)).update(later)
    assert model.predict()["day"].min() > before["day"].min()


def test_an_update_with_another_model_is_refused(model, later, tmp_path):
    model.set_params(pretrained=make(BOLT, tmp_path / "other"))

    with pytest.raises(ArtifactError, match="another pretrained model"):
        model.update(later)


def test_an_update_goes_on_without_it_where_that_is_wished_and_says_so(model, later):
    run = Run()

    model.set_params(pretrained=None).update(later, run=run)

    assert [one.code for one in run.warnings] == ["pretrained"]
    assert "left out from now on" in run.warnings[0].text
    assert np.isnan(model.told_.voices[model.told_.mixture.names.index("pretrained")]).all()
    assert np.isfinite(model.predict()["mean"].to_numpy()).all()
    assert model.predict()["day"].min() > later["day"].max()


def test_an_update_never_fetches_a_model_that_a_file_names(model, later, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("it went to the network"))
    model.set_params(pretrained="hf://somebody/something")

    with pytest.raises(ArtifactError, match="the hub gives no such model"):
        model.update(later)


def test_a_fit_never_fetches_a_model_that_a_file_names_until_the_user_does(model, monkeypatch, tmp_path):
    from huggingface_hub import constants

    asked = []
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("mantic.learners.pretrained.hub.fetch", lambda source: asked.append(source) or tmp_path)
    model.set_params(pretrained="hf://somebody/something")
    stranger = mantic.load(model.save(tmp_path / "stranger.mantic"))

    for one in (stranger, clone(stranger), clone(stranger).set_params(horizon=7)):
        with pytest.raises(SourceError, match="the hub gives no such model") as caught:
            one.fit(noise(), **ASKED)
        assert "set pretrained to it yourself" in caught.value.fix
    assert asked == []
    with pytest.raises(ArtifactError, match="missing"):
        stranger.set_params(pretrained="hf://somebody/something").fit(noise(), **ASKED)
    assert asked == ["hf://somebody/something"]


def test_a_loaded_model_is_fitted_again_with_the_model_that_lies_here(model, saved):
    again = clone(model).fit(noise(), **ASKED)

    assert again.predict().equals(mantic.load(saved).predict())


def test_a_budget_of_seconds_holds(folder):
    started = time.monotonic()

    model = mantic.Forecaster(HORIZON, budget="5s", pretrained=folder).fit(noise(), **ASKED)

    assert time.monotonic() - started < 5 + 3
    assert model.report_.facts["pretrained"]["outcome"] in ("used", "no time")


@pytest.mark.slow
def test_a_budget_of_seconds_holds_where_torch_is_not_loaded_yet(folder):
    code = (
        "import time; started = time.monotonic()\n"
        "import sys; from tests.contract.test_pretrained import ASKED, noise\nimport mantic\n"
        "loaded = time.monotonic(); started_cpu = time.process_time()\n"
        f"model = mantic.Forecaster(14, budget='5s', pretrained={str(folder)!r}).fit(noise(), **ASKED)\n"
        "import json; print(json.dumps([time.monotonic() - loaded, 'torch' in sys.modules, "
        "model.report_.facts['pretrained']['reason']]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )

    assert done.returncode == 0, done.stderr
    seconds, is_loaded, reason = json.loads(done.stdout)
    assert seconds < 5 + 3
    assert not is_loaded
    assert reason == "loading torch, chronos takes about 12 s"


def test_without_the_packages_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "chronos", None)

    with pytest.raises(MissingExtraError) as caught:
        mantic.Forecaster(7, pretrained=folder).fit(noise(), **ASKED)

    assert caught.value.fix == "pip install 'mantic[pretrained]'"


@pytest.mark.parametrize("wrong", [3, "", ["a", "b"]])
def test_what_is_no_place_is_refused(wrong):
    with pytest.raises(SettingsError, match="should be a folder or hf://owner/name"):
        mantic.Forecaster(7, pretrained=wrong).fit(noise(), **ASKED)


def test_a_damaged_folder_is_refused_before_the_search(folder, tmp_path):
    spoilt = shutil.copytree(folder, tmp_path / "spoilt")
    (spoilt / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])

    with pytest.raises(ArtifactError, match="cut off"):
        mantic.Forecaster(7, budget="60s", pretrained=spoilt).fit(noise(), **ASKED)


def test_it_is_not_for_values_that_are_revised(folder):
    rows = noise().with_columns(told=pl.col("day"))

    with pytest.raises(SettingsError, match="not asked where values are revised"):
        mantic.Forecaster(7, pretrained=folder).fit(rows, as_of="told", **ASKED)
