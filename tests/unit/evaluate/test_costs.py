from pathlib import Path

import pytest

from mantic.core.errors import SettingsError
from mantic.evaluate.costs import finds, read_costs

TWO = ("no", "yes")
THREE = ("low", "mid", "high")


def test_named_costs_stand_where_the_positive_class_says():
    asked = read_costs("tp=-50, fp=2, fn=10")

    assert asked.bind(TWO, positive=1).matrix == ((0.0, 2.0), (10.0, -50.0))
    assert asked.bind(TWO, positive=0).matrix == ((-50.0, 10.0), (2.0, 0.0))


def test_the_threshold_is_the_one_of_theory():
    costs = read_costs("tp=1,fp=3,tn=1,fn=9").bind(TWO)

    assert costs.threshold == pytest.approx((3 - 1) / ((3 - 1) + (9 - 1)))


def test_a_gain_is_a_negative_cost_however_it_is_written():
    gain, cost = read_costs("gain:tp=50,fp=-2").bind(TWO), read_costs("tp=-50,fp=2").bind(TWO)

    assert gain.matrix == cost.matrix
    assert (gain.kind, cost.kind, read_costs("fp=1,fn=10").bind(TWO).kind) == ("gain", "gain", "cost")


@pytest.mark.parametrize(
    "text",
    [
        "truth,no,yes\nno,0,1\nyes,10,0\n",
        "\ufefftruth;yes;no\nyes;0;10,0\nno;1,0;0\n",
        "no,yes\n0,1\n10,0\n",
        "truth\tno\tyes\n\nyes\t10\t0\nno\t0\t1\n",
    ],
)
def test_a_matrix_is_read_by_its_names_in_any_order_and_with_any_comma(tmp_path, text):
    (tmp_path / "costs.csv").write_text(text, "utf-8")

    assert read_costs(tmp_path / "costs.csv").bind(TWO).matrix == ((0.0, 1.0), (10.0, 0.0))


def test_a_matrix_may_have_any_number_of_classes_with_any_names(tmp_path):
    (tmp_path / "costs.csv").write_text("wahr,größer,b c\ngrößer,2,0\nb c,-3,1\n", "utf-8")

    costs = read_costs(f"gain:{tmp_path / 'costs.csv'}").bind(("b c", "größer"))

    assert costs.matrix == ((-1.0, 3.0), (0.0, -2.0))


def test_dicts_say_the_same_as_texts():
    assert read_costs({"fp": 1, "fn": 10}).bind(TWO).matrix == read_costs("fp=1,fn=10").bind(TWO).matrix
    assert read_costs({"no": {"no": 0, "yes": 1}, "yes": {"no": 10, "yes": 0}}).bind(TWO).matrix[1] == (10.0, 0.0)


def test_without_costs_each_positive_row_that_is_acted_on_counts_one():
    assert finds(TWO, positive=0).matrix == ((-1.0, 0.0), (0.0, 0.0))


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ("fp=1,fm=10,tp=x", ["there is no cost 'fm'", "tp is 'x'"]),
        ("fp=1,fp=2", ["fp is given twice"]),
        ("fp,fn=2", ["fp has no value"]),
        ("fp=,fn=2", ["fp is empty"]),
        ("fp=nan,fn=inf", ["fp is nan", "fn is inf"]),
        ("", ["no costs"]),
        ("gain:", ["no costs"]),
        ({}, ["no costs"]),
        ({"fp": None}, ["fp has no value"]),
        ({"no": {"no": 0, "yes": "much"}, "yes": {"no": 1, "yes": 0}}, ["no decided as yes is 'much'"]),
        ("nosuch.csv", ["neither a file nor a cost"]),
    ],
)
def test_costs_that_cannot_be_read_name_every_fault(given, faults, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError) as caught:
        read_costs(given)

    assert all(fault in caught.value.what for fault in faults), caught.value.what
    assert caught.value.where
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("truth,no,yes\nno,0,1\n", "no cost matrix"),
        ("", "no cost matrix"),
        ("truth,no,yes\nno,0\nyes,1,0\n", "has 1 costs"),
        ("truth,no,no\nno,0,1\nyes,1,0\n", "stands twice"),
        ("truth,no,yes\nno,0,1\nno,1,0\n", "two rows of 'no'"),
        ("truth,no,yes\nno,0,much\nyes,nan,0\n", "is 'much', which is no number; yes decided as no is nan"),
        ("truth,no,yes\nno,0,\nyes,1,0\n", "is empty"),
    ],
)
def test_a_matrix_of_the_wrong_shape_or_with_holes_is_refused(tmp_path, text, fault):
    (tmp_path / "costs.csv").write_text(text)

    with pytest.raises(SettingsError, match=fault):
        read_costs(tmp_path / "costs.csv")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "costs.csv").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="cannot be read"):
        read_costs(tmp_path / "costs.csv")


@pytest.mark.parametrize(
    ("given", "classes", "fault"),
    [
        ("fp=1,fn=2", THREE, "here are 3"),
        ({"no": {"no": 0, "yes": 1}, "maybe": {"no": 1, "yes": 0}}, TWO, "'maybe' is no class.*no row for 'yes'"),
        ({"no": {"no": 0}, "yes": {"no": 1, "yes": 0}}, TWO, "deciding 'yes' for 'no' is missing"),
        ("fp=0,fn=0", TWO, "nothing to decide"),
        ("fp=2,tn=2,fn=3,tp=3", TWO, "nothing to decide"),
        ("fp=1,fn=1,tp=1", TWO, "acting never pays"),
        ("fp=-1,fn=-1", TWO, "better to be wrong"),
        ("fp=-5,fn=1", TWO, "pays more on rows that are not 'yes'"),
        ({a: {b: 0.0 if b == "low" else 1.0 for b in THREE} for a in THREE}, THREE, "'low' is never worse"),
    ],
)
def test_costs_that_do_not_go_with_the_classes_or_with_sense_are_refused(given, classes, fault):
    with pytest.raises(SettingsError, match=fault) as caught:
        read_costs(given).bind(classes)

    assert caught.value.fix


def test_a_file_that_is_too_large_for_a_matrix_is_not_read(tmp_path):
    Path(tmp_path / "big.csv").write_text("0," * 600_000)

    with pytest.raises(SettingsError, match="too large"):
        read_costs(tmp_path / "big.csv")
