"""A fast start: importing mantic and asking for help load the standard library only."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mantic

_LOADED = """
import sys
before = set(sys.modules)
{code}
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
alone = {{"{alone}"}} & set(sys.modules)
print("LOADED", *sorted(new - set(sys.stdlib_module_names) - {{"mantic"}} | alone))
"""

_HELP = """
from mantic.cli.main import main
main(["--help"])
"""


_ALONE = "mantic.core.alone.lightgbm.basic"


def _third_party_after(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(code=code, alone=_ALONE)], capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("LOADED")]
    assert lines, done.stderr
    return lines[0].split()[1:]


@pytest.mark.parametrize(
    "code",
    [
        "import mantic",
        "import mantic; dir(mantic)",
        "from mantic import ManticError",
        _HELP,
    ],
    ids=["import mantic", "dir(mantic)", "an error", "mantic --help"],
)
def test_a_start_loads_the_standard_library_only(code):
    assert _third_party_after(code) == []


def test_the_export_table_equals_what_editors_see():
    tree = ast.parse(Path(mantic.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))

    seen = {name.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names}

    assert seen == mantic._EXPORTS


@pytest.mark.parametrize("name", mantic.__all__)
def test_every_public_name_can_be_had(name):
    assert getattr(mantic, name) is not None
    assert name in dir(mantic)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Clasifier'"):
        mantic.Clasifier  # noqa: B018


def _loaded_by(code: str) -> set[str]:
    return set(_third_party_after(code))


def test_an_estimator_is_there_without_scikit_learn_or_lightgbm():
    assert not {"sklearn", "lightgbm", "pandas", "scipy"} & _loaded_by("import mantic; mantic.Classifier()")


def test_answering_by_trees_in_a_process_of_our_own_loads_neither_scikit_learn_nor_pandas(tmp_path, churn_like):
    frame = churn_like.drop("note")
    model = mantic.Classifier(budget="1 trial", learners=["boosting"]).fit(frame, "churned")
    model.save(tmp_path / "trees.mantic")
    frame.write_parquet(tmp_path / "new.parquet")

    loaded = _loaded_by(
        "from mantic.core.lazy import lighten; lighten(); from mantic.cli.main import main; "
        f"main(['predict', {str(tmp_path / 'trees.mantic')!r}, {str(tmp_path / 'new.parquet')!r}])"
    )

    assert _ALONE in loaded
    assert not {"sklearn", "pandas", "pyarrow"} & loaded


def test_boosting_in_a_users_process_loads_no_more_than_it_needs():
    loaded = _loaded_by(
        "import numpy as np; from mantic.extend import Run, Table, Target; "
        "from mantic.learners.table.boosting import Boosting; "
        "table = Table(np.arange(200.0)[:, None], ('a',), np.zeros(1, dtype=int)); "
        "Boosting().fit(table, Target(np.arange(200.0)), {}, Run()).predict(table)"
    )

    assert _ALONE in loaded
    assert not {"lightgbm", "sklearn", "pandas", "pyarrow"} & loaded


def test_a_user_gets_the_whole_of_lightgbm_after_a_part_of_it_was_loaded():
    code = (
        "from mantic.core.lazy import need_alone; alone = need_alone('lightgbm', why='a test'); import lightgbm; "
        "assert lightgbm.LGBMClassifier and alone.Booster is not lightgbm.Booster; "
        "assert need_alone('lightgbm', why='a test') is lightgbm"
    )

    assert {_ALONE, "lightgbm", "sklearn", "pandas"} <= _loaded_by(code)


def test_what_was_kept_from_a_library_can_be_loaded_afterwards():
    loaded = _loaded_by(
        "from mantic.core.lazy import lighten, need; lighten(); need('sklearn.tree', why='x'); import sklearn, pandas"
    )

    assert {"sklearn", "pandas"} <= loaded


@pytest.mark.parametrize("joint", [" ", "="], ids=["apart", "joined"])
def test_what_a_users_own_file_loads_is_whole(joint, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text("from mantic.core.lazy import need\nneed('lightgbm', why='a plug-in').LGBMClassifier()\n")
    words = f"--plugin{joint}{plugin}".split(" ")

    done = subprocess.run(
        [sys.executable, "-m", "mantic.cli.main", "learners", *words], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


_SERVE = """
from mantic.core.lazy import lighten; lighten()
import asyncio, mantic
from mantic.serve.app import make_asgi
app = make_asgi({{"trees": mantic.load({path!r})}})
async def ask():
    sent = []
    async def receive():
        return {{"type": "http.request", "body": {body!r}}}
    async def send(message):
        sent.append(message)
    address = {{"method": "POST", "path": "/v1/models/trees/predict", "headers": []}}
    async with app.app.router.lifespan_context(app.app):
        await app({{"type": "http", **address}}, receive, send)
    assert sent[0]["status"] == 200, sent
asyncio.run(ask())
"""


def test_serving_trees_loads_neither_scikit_learn_nor_pandas_nor_what_only_a_fit_needs(tmp_path, churn_like):
    frame = churn_like.drop("note", "customer", "joined")
    mantic.Classifier(budget="1 trial", learners=["boosting"]).fit(frame, "churned").save(tmp_path / "trees.mantic")
    body = json.dumps({"rows": frame.drop("churned").head(1).to_dicts()}).encode()
    code = _SERVE.format(path=str(tmp_path / "trees.mantic"), body=body)

    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('LOADED', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = set(done.stdout.split())
    assert {_ALONE, "msgspec", "mantic.serve.gate"} <= loaded
    assert not {"sklearn", "pandas", "pyarrow", "fastapi", "matplotlib", "skops", "scipy.special"} & loaded
    assert not {"mantic.tasks.walk", "mantic.evaluate.fit_report"} & loaded
