import json

import pytest

from mantic.cli.progress import following
from mantic.cli.words import stem
from mantic.core.budget import Deadline
from mantic.core.run import Measured, Progress

QUICK = ("--budget", "1 trial", "--learner", "linear")


def test_json_holds_what_a_program_needs(mantic, kept):
    done = mantic("fit", kept / "few_churn.csv", "--target", "churned", *QUICK, "--json")

    facts = done.facts
    assert done.code == 0
    assert (facts["task"], facts["metric"]) == ("classify", "log_loss")
    assert facts["interval"][0] <= facts["score"] <= facts["interval"][1]
    assert {"name", "score"} <= set(facts["baseline"])
    assert facts["learners"][0]["learner"] == "linear"
    assert facts["learners"][0]["seconds"] > 0
    assert facts["seconds"] > 0
    assert all({"code", "column", "text"} <= set(one) for one in facts["warnings"])
    assert facts["model"] == "few_churn.mantic"


def test_the_screen_shows_the_verdict_and_what_to_do_next(mantic, kept, tmp_path):
    done = mantic("fit", kept / "few_rent.csv", "--target", "spend", *QUICK, "--report", "r.html", "--out", "m.mantic")

    assert "always saying the average" in done.out
    assert "mantic predict m.mantic" in done.err
    assert "open r.html" in done.err
    assert (tmp_path / "m.mantic").stat().st_size > 1000
    assert "<html" in (tmp_path / "r.html").read_text()


def test_ctrl_c_while_reading_says_that_nothing_is_kept(mantic, kept, monkeypatch, tmp_path):
    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mantic.sources.read.read", pressed)

    done = mantic("fit", kept / "few_rent.csv", "--target", "spend", *QUICK, "--out", "m.mantic")

    assert done.code == 130
    assert "no model is kept: one Ctrl-C keeps the best so far once there is a first score" in done.err
    assert not (tmp_path / "m.mantic").exists()


def test_a_useless_model_is_kept_and_called_useless(mantic, tmp_path):
    rows = "".join(f"{i * 37 % 11},{i * 7919 % 13 % 2}\n" for i in range(200))
    (tmp_path / "noise.csv").write_text("a,b\n" + rows)

    done = mantic("fit", "noise.csv", "--target", "b", *QUICK)

    assert done.code == 0
    assert "do not use" in done.out
    assert (tmp_path / "noise.mantic").exists()


def test_a_parameter_can_be_fixed_and_an_unknown_one_lists_the_known(mantic, kept):
    rent = kept / "few_rent.csv"
    done = mantic(
        "fit", rent, "--target", "spend", "--budget", "1 trial", "--learner", "tree", "--set", "tree.nosuch=1"
    )

    assert done.code == 2
    assert "'tree.nosuch' is unknown" in done.err
    assert "known are: tree." in done.err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--target", "chrun"), "chrun"),
        (("--target", "churned", "--learner", "svn"), "svm"),
        (("--target", "churned", "--metric", "rmse"), "rmse"),
        (("--target", "churned", "--budget", "soon"), "soon"),
        (("--target", "churned", "--drop", "tenure,nosuch"), "nosuch"),
        (("--target", "churned", "--time", "nosuch"), "nosuch"),
        (("--target", "churned", "--kind", "tenure"), "COLUMN=KIND"),
        (("--target", "churned", "--kind", "tenure=colour"), "'colour' is no kind"),
        (("--target", "churned", "--kind", "nosuch=text"), "no column 'nosuch'"),
        (("--target", "churned", "--kind", "plan=number"), "'plan' should hold numbers"),
        (("--target", "churned", "--plugin", "nosuch.py"), "nosuch.py"),
        (("--target", "churned", "--out", "model.pkl"), "model.mantic"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work_begins(mantic, kept, words, what, tmp_path):
    done = mantic("fit", kept / "few_churn.csv", *words)

    assert done.code == 2
    assert what in done.err
    assert "fix:" in done.err
    assert not list(tmp_path.iterdir())


def test_columns_can_be_left_out_in_one_option_or_in_several(mantic, kept):
    words = ("--drop", "tenure,plan", "--drop", "joined", "--out", "m.mantic", "--json")
    assert mantic("fit", kept / "few_churn.csv", "--target", "churned", *QUICK, *words).code == 0

    done = mantic("explain", "m.mantic", kept / "few_churn.csv", "--row", 0, "--json")

    columns = {one["column"] for one in done.facts["rows"][0]["contributions"]}
    assert columns
    assert not columns & {"tenure", "plan", "joined"}


def test_a_row_may_be_given_a_time_and_the_time_it_takes_is_said(mantic, kept):
    words = (*QUICK, "--out", "m.mantic", "--json")

    done = mantic("fit", kept / "few_churn.csv", "--target", "churned", *words, "--latency", "1h")
    wrong = mantic("fit", kept / "few_churn.csv", "--target", "churned", *words, "--latency", "soon")

    assert 0 < done.facts["latency_ms"] < 3_600_000
    assert wrong.code == 2
    assert "soon per row" in wrong.err


def test_a_learner_of_ones_own_is_one_file(mantic, kept, tmp_path):
    (tmp_path / "my_median.py").write_text(_PLUGIN)
    words = ("--plugin", "my_median.py", "--learner", "my_median", "--budget", "1 trial", "--out", "m.mantic")

    assert mantic("fit", kept / "few_rent.csv", "--target", "spend", *words).code == 0

    assert mantic("predict", "m.mantic", kept / "few_rent.csv", "--plugin", "my_median.py").out.count("\n") == 121


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("a/churn.csv", "churn"),
        ("churn.parquet", "churn"),
        ("churn.csv.zst", "churn"),
        ("my data.csv", "my-data"),
        ("sales/", "sales"),
        ("sales/*.csv", "model"),
        ("postgresql://me@host/db?table=public.orders", "public.orders"),
        ("book.xlsx?sheet=May", "book"),
        (".hidden", "hidden"),
    ],
)
def test_a_model_is_named_after_its_data(address, name):
    assert stem(address) == name


def test_progress_elsewhere_than_in_a_terminal_is_rare(capsys):
    with following(0.0, Deadline()) as listener:
        for number in range(100):
            listener(Measured("log_loss", 1 / (number + 1), {"learner": "tree", "best": True}))
            listener(Progress(number, 100))

    assert capsys.readouterr().err.count("\n") == 1


def test_progress_in_a_terminal_shows_the_best_so_far(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")

    with following(0.0, Deadline(10.0)) as listener:
        listener(Measured("log_loss", 0.25, {"learner": "tree", "best": True}))
        listener(Measured("log_loss", 0.5, {"learner": "knn", "best": False}))

    assert "best so far: log loss 0.25 by tree" in capsys.readouterr().err


_PLUGIN = """
import json
from pathlib import Path
import numpy as np
from mantic.core.learner import learner
from mantic.core.table import Layout

@learner("my_median", tasks=("regress",), layout=Layout.DENSE, good_for="an example", costs="nothing")
class MyMedian:
    def space(self):
        return {}
    def fit(self, table, target, params, run):
        self.median_ = float(np.median(target.values))
        return self
    def predict(self, table):
        return np.full(table.n_rows, self.median_)
    def save(self, folder):
        (folder / "median.json").write_text(json.dumps(self.median_))
    @classmethod
    def load(cls, folder):
        again = cls()
        again.median_ = json.loads((folder / "median.json").read_text())
        return again
"""


def test_settings_stand_behind_the_options(mantic, kept, monkeypatch):
    monkeypatch.setenv("MANTIC_BUDGET_DEFAULT", "1 trial")

    done = mantic("fit", kept / "few_rent.csv", "--target", "spend", "--learner", "linear", "--json")

    assert len(json.loads(done.out)["learners"]) == 1
