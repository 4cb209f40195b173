"""The walk in Python, and in a notebook as an analyst would run it."""

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from sklearn.datasets import load_breast_cancer

import mantic

CELLS = [
    "import mantic\nfrom sklearn.datasets import load_breast_cancer\n"
    "frame = load_breast_cancer(as_frame=True).frame\nmantic.profile(frame, target='target')",
    "model = mantic.Classifier(budget='2 trials', seed=0).fit(frame, 'target')\nmodel.report_",
    "model.explain(frame[:1])",
    "model.predict_proba(frame[:3]).round(2)",
]


@pytest.fixture(scope="module")
def tumours(tmp_path_factory):
    """Return the path of a real table that comes with scikit-learn, as CSV."""
    path = tmp_path_factory.mktemp("data") / "tumours.csv"
    load_breast_cancer(as_frame=True).frame.to_csv(path, index=False)
    return path


def test_the_walk_in_python(tumours, tmp_path):
    assert mantic.profile(str(tumours), target="target").facts["n_rows"] == 569

    model = mantic.fit(tumours, target="target", budget="2 trials")
    new = mantic.read(tumours).head(20)
    again = mantic.load(model.save(tmp_path / "tumours.mantic"))

    assert type(model).__name__ == "Classifier"
    assert "of 100 right" in model.report_.facts["verdict"]["sentence"]
    np.testing.assert_array_equal(again.predict_proba(new), model.predict_proba(new))
    assert model.explain(new[:1]).rows[0].sentence.startswith("Predicted")
    assert model.report_.save(tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the kernel's own
def test_the_walk_in_a_notebook(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])

    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    shown = [cell.outputs[-1].data for cell in notebook.cells]
    assert all("text/html" in data for data in shown[:3])
    assert "<svg" in shown[1]["text/html"]
