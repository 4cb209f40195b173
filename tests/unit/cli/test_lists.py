"""learners, settings, profile."""

_ORACLE = """
from mantic.core.learner import learner
from mantic.learners.table.tree import Tree
from mantic.core.table import Layout


@learner("oracle", tasks=("regress",), layout=Layout.TREES, needs=("no_such_package",), good_for="all", costs="nothing")
class Oracle(Tree):
    pass
"""


def test_every_learner_says_what_it_is_good_for(mantic):
    facts = mantic("learners", "--json").facts["learners"]

    assert {"linear", "tree", "forest", "knn", "svm", "mlp", "naive_bayes", "boosting", "histgb"} <= {
        one["name"] for one in facts
    }
    assert all(one["good_for"] and one["costs"] for one in facts)
    assert all(one["installed"] != bool(one["install"]) for one in facts)


def test_a_learner_whose_package_is_absent_says_how_to_install_it(mantic, tmp_path):
    (tmp_path / "oracle.py").write_text(_ORACLE)

    fact = next(
        one
        for one in mantic("learners", "--plugin", "oracle.py", "--json").facts["learners"]
        if one["name"] == "oracle"
    )
    out = mantic("learners", "oracle", "--plugin", "oracle.py").out

    assert not fact["installed"]
    assert fact["install"] == ["pip install 'no_such_package'"]
    assert "not installed" in out


def test_one_learner_shows_its_parameters(mantic):
    out = mantic("learners", "svm").out

    assert "Parameters of svm" in out
    assert "C" in out


def test_an_unknown_learner_gets_the_nearest(mantic):
    done = mantic("learners", "svn")

    assert done.code == 2
    assert "did you mean 'svm'" in done.err


def test_settings_say_where_they_come_from(mantic, monkeypatch, tmp_path):
    monkeypatch.setenv("MANTIC_SERVE_PORT", "8080")
    (tmp_path / "mantic.toml").write_text("[serve]\nmax_rows = 5")

    facts = mantic("settings", "--json").facts

    assert facts["serve.port"]["value"] == 8080
    assert facts["serve.port"]["origin"] == "MANTIC_SERVE_PORT"
    assert facts["serve.max_rows"]["origin"].endswith("mantic.toml")
    assert facts["budget.default"]["origin"] == "default"
    assert "MANTIC_SERVE_PORT" in mantic("settings").out


def test_an_unknown_setting_is_an_error_of_three_lines(mantic, monkeypatch):
    monkeypatch.setenv("MANTIC_SERVE_PROT", "8080")

    done = mantic("settings")

    assert done.code == 2
    assert "serve.port" in done.err


def test_a_profile_is_shown_and_written(mantic, kept, tmp_path):
    done = mantic("profile", kept / "churn.csv", "--target", "churned", "--out", "p.html")

    assert done.code == 0
    assert "customer" in done.out
    assert "<html" in (tmp_path / "p.html").read_text()


def test_a_profile_for_programs_is_one_object(mantic, kept):
    done = mantic("profile", kept / "churn.csv", "--json")

    assert done.facts["n_rows"] == 400
