import pytest

from mantic.core.errors import StoreError
from mantic.store.reference import Reference, check_name, is_reference, name_for, read_reference

HOSTILE = [
    "", " ", ".", "..", "../x", "/etc/passwd", "a/b", "a@b", "-rf", "a b", "a\x00b", "a\nb", "x" * 300, "ü" * 51,
    "\ud800", "a.mantic", "%2e%2e", "a;b", "a'b",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_hostile_name_is_refused_everywhere_and_leaves_nothing(store, model, name):
    store.models.register(model(1), "good")
    calls = [
        lambda: store.models.register(model(1), name),
        lambda: store.models.promote("good", name),
        lambda: store.models.rollback(name),
        lambda: store.models.list(name),
        lambda: store.predictions.find(name),
    ]

    for call in calls:
        with pytest.raises(StoreError, match=r"cannot be the|is empty"):
            call()

    assert [str(one) for one in store.models.list()] == ["good/1"]
    assert store.models.aliases() == {"good": {"champion": 1}}


@pytest.mark.parametrize("name", ["churn", "_x", "churn-2026.v2", "kündigung", "解約", "x" * 100, "1"])
def test_a_name_in_any_language_is_kept_as_it_is(store, model, name):
    assert str(store.models.register(model(1), name)) == f"{name}/1"
    assert store.models.get(name).name == name


def test_two_spellings_of_one_letter_are_one_name(store, model):
    store.models.register(model(1), "ku\u0308ndigung")

    assert str(store.models.register(model(2), "k\u00fcndigung")) == "k\u00fcndigung/2"
    assert store.models.get("ku\u0308ndigung").number == 1


@pytest.mark.parametrize(
    "words", ["churn/0", "churn/01", "churn/-1", "churn/1/2", "churn@", "@champion", "churn/x", ""]
)
def test_what_is_no_reference_is_said(words):
    with pytest.raises(StoreError, match="calls no model"):
        read_reference(words)


def test_a_reference_is_read():
    assert read_reference("churn@blue") == Reference("churn", "blue")
    assert read_reference("churn/12") == Reference("churn", number=12)


def test_a_path_is_a_file_and_anything_else_that_reads_like_one_a_reference(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "churn").write_text("a file of this name")

    words = ["churn", "rent", "rent.mantic", "./rent", "/rent", "rent/3", "rent@champion", "rent/nosuch.file"]

    assert [is_reference(one) for one in words] == [False, True, False, False, False, True, True, False]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a/churn.mantic", "churn"),
        ("my churn (1).mantic", "my-churn-1"),
        ("....mantic", "model"),
        ("ü" * 80 + ".mantic", "ü" * 50),
        ("x.mantic.mantic", "x"),
    ],
)
def test_a_file_gives_a_name_that_can_be_one(file, name):
    assert name_for(file) == name
    assert check_name(name_for(file)) == name
