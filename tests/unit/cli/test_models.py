"""models, keys, backup, restore, verify, and a reference where a model file may stand."""

import io
import json
import os
import shutil
import subprocess
import sys

import polars as pl
import pytest

from mantic.core.settings import read_settings
from mantic.store.blobs import digest
from mantic.store.store import open_store

QUICK = ("--budget", "1 trial", "--learner", "linear")


@pytest.fixture(autouse=True)
def _own_store(monkeypatch, tmp_path_factory):
    """Give each test a store and keys of its own."""
    place = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("MANTIC_STORE_URL", str(place / "store"))
    monkeypatch.setenv("MANTIC_STORE_KEYS", str(place / "keys"))


@pytest.fixture
def stored(mantic, kept):
    """Return `mantic` with churn/1 and churn/2 in the store, of the same content; churn/1 is the champion."""
    assert mantic("models", "import", kept / "churn.mantic").code == 0
    assert mantic("models", "import", kept / "churn.mantic", "--note", "again").code == 0
    return mantic


def test_a_fitted_model_is_kept_and_the_line_says_as_what(mantic, kept):
    words = ("fit", kept / "few_churn.csv", "--target", "churned", *QUICK, "--out", "churn.mantic")

    first, second = mantic(*words), mantic(*words)

    assert "kept as churn/1 (champion)" in first.err
    assert "kept as churn/2 (champion is churn/1)" in second.err
    facts = mantic("models", "show", "churn/2", "--json").facts
    assert (facts["task"], facts["target"], facts["metric"]) == ("classify", "churned", "log_loss")
    assert facts["low"] <= facts["score"] <= facts["high"]
    assert facts["fingerprint"].startswith("sha256:")
    with open_store(read_settings().store.url) as store:
        assert store.datasets.get(facts["fingerprint"]).name == "few_churn.csv"


def test_json_says_as_what_a_model_was_kept_and_no_store_leaves_it_out(mantic, kept):
    words = ("fit", kept / "few_rent.csv", "--target", "spend", *QUICK, "--out", "rent.mantic", "--json")

    with_store, without = mantic(*words), mantic(*words, "--no-store")

    assert with_store.facts["kept"] == "rent/1"
    assert without.facts["kept"] is None
    assert len(mantic("models", "--json").facts["models"]) == 1


def test_a_store_that_cannot_be_written_never_costs_the_model(mantic, kept, monkeypatch, tmp_path):
    monkeypatch.setenv("MANTIC_STORE_URL", "/dev/null/store")

    done = mantic("fit", kept / "few_rent.csv", "--target", "spend", *QUICK, "--out", "rent.mantic")

    assert done.code == 0
    assert "warning: rent.mantic is saved, but not kept in the store: a store cannot be made here" in done.err
    assert (tmp_path / "rent.mantic").stat().st_size > 1000


@pytest.mark.parametrize("words", ["churn", "churn@champion", "churn/2"])
def test_a_reference_answers_as_its_file_does(stored, kept, words):
    from_file = stored("predict", kept / "churn.mantic", kept / "few_churn.csv", "--proba").out

    assert stored("predict", words, kept / "few_churn.csv", "--proba").out == from_file


@pytest.mark.parametrize("verb", ["evaluate", "explain"])
def test_every_verb_takes_a_reference(stored, kept, verb):
    done = stored(verb, "churn/2", kept / "few_churn.csv", "--json")

    assert done.code == 0
    assert done.facts["model"] == "churn/2"


def test_a_decision_makes_a_new_version_and_leaves_the_old_one_as_it_is(stored, kept):
    done = stored("decide", "churn", "--cost", "fp=1,fn=5", "--json")

    assert done.facts["model"] == "churn/3"
    heads = [stored("predict", words, kept / "few_churn.csv").out.splitlines()[0] for words in ("churn", "churn/3")]
    assert ["decision" in head for head in heads] == [False, True]
    assert stored("models", "show", "churn/3", "--json").facts["note"] == "churn/1 with a decision"


def test_a_decision_can_be_written_to_a_file_instead(stored, tmp_path):
    done = stored("decide", "churn", "--cost", "fp=1,fn=5", "--out", "decided.mantic")

    assert "saved decided.mantic" in done.err
    assert (tmp_path / "decided.mantic").exists()
    assert len(stored("models", "--json").facts["models"]) == 2


def test_an_unknown_model_is_three_lines(stored, kept):
    done = stored("predict", "chrun", kept / "few_churn.csv")

    assert done.code == 2
    assert "there is no model 'chrun'" in done.err
    assert "did you mean 'churn'?" in done.err


def test_a_missing_file_is_still_a_missing_file(stored, kept):
    assert "there is no such model file" in stored("predict", "churn9.mantic", kept / "few_churn.csv").err


def test_serving_two_versions_of_one_name_is_refused(stored):
    done = stored("serve", "churn/1", "churn/2", "--port", 0)

    assert "two models are called 'churn'" in done.err


def test_a_file_whose_predictions_no_store_can_keep_is_refused_where_they_are_to_be_kept(stored, kept, tmp_path):
    shutil.copyfile(kept / "churn.mantic", tmp_path / "my churn.mantic")

    done = stored("serve", tmp_path / "my churn.mantic", "--log", "--port", 0)

    assert done.code == 2
    assert "predictions cannot be kept: 'my churn' cannot be the name of a model" in done.err


def test_an_empty_store_says_how_it_fills(mantic):
    assert "Nothing is kept yet" in mantic("models").out


def test_models_are_listed_with_their_aliases(stored):
    stored("models", "promote", "churn/2", "--alias", "challenger")

    facts = stored("models", "--json").facts["models"]

    assert [(one["model"], one["aliases"]) for one in facts] == [("churn/2", ["challenger"]), ("churn/1", ["champion"])]
    assert stored("models", "list", "churn", "--json").facts["models"] == facts
    assert "challenger" in stored("models").out
    assert "again" in stored("models", "list").out


def test_promotion_and_rollback_say_what_moved(stored):
    up = stored("models", "promote", "churn/2")
    back = stored("models", "rollback", "churn", "--json")
    too_far = stored("models", "rollback", "churn")

    assert "churn@champion is now churn/2 (it was churn/1)" in up.err
    assert (back.facts["before"], back.facts["after"]) == (2, 1)
    assert too_far.code == 2
    assert "stood nowhere before" in too_far.err


def test_an_alias_is_retired_and_a_version_deleted(stored):
    stored("models", "promote", "churn/2", "--alias", "blue")

    assert stored("models", "delete", "churn/2").code == 2
    assert "churn@blue is gone" in stored("models", "retire", "churn@blue").err
    assert stored("models", "delete", "churn/2", "--json").facts["deleted"] == "churn/2"
    assert "there is no churn/2" in stored("models", "show", "churn/2").err


@pytest.mark.parametrize("asked", ["churn/2", "churn"])
def test_what_names_no_alias_retires_none(stored, asked):
    refused = stored("models", "retire", asked)

    assert refused.code == 2
    assert "names no alias" in refused.err
    assert "NAME@champion" in refused.err
    assert "churn@champion" in stored("models", "promote", "churn/1").err


def test_the_history_says_who_did_what(stored):
    stored("models", "promote", "churn/2")

    deeds = stored("models", "history", "churn", "--json").facts["deeds"]

    assert [deed["action"] for deed in deeds] == ["promote", "register", "promote", "register"]
    assert deeds[0]["detail"] == {"alias": "champion", "before": 1, "after": 2}
    assert "after 2, alias champion, before 1" in stored("models", "history", "--limit", 1).out
    assert len(stored("models", "history", "--limit", 1, "--json").facts["deeds"]) == 1


def test_a_version_shows_its_moves(stored):
    stored("models", "promote", "churn/2")

    out = stored("models", "show", "churn/2").out

    assert "promote" in out
    assert "log_loss" in out


def test_versions_are_compared_and_the_sentence_claims_no_more_than_is_known(stored, kept):
    stored("models", "import", kept / "rent.mantic")

    same = stored("models", "compare", "churn/1", "churn/2", "--json")
    other = stored("models", "compare", "churn", "rent")

    assert "may have learned from different data" in same.facts["sentence"]
    assert "different questions" in other.out
    assert stored("models", "compare", "churn").code == 2


def test_models_of_one_table_are_compared_by_their_intervals(mantic, kept):
    words = ("fit", kept / "few_churn.csv", "--target", "churned", *QUICK, "--out", "churn.mantic")
    for seed in (0, 0):
        mantic(*words, "--seed", seed)

    assert "intervals overlap" in mantic("models", "compare", "churn/1", "churn/2").out


def test_a_version_goes_out_and_comes_in_again_byte_for_byte(stored, kept, tmp_path):
    done = stored("models", "export", "churn/2")

    assert "wrote churn/2 to churn-2.mantic" in done.err
    assert (tmp_path / "churn-2.mantic").read_bytes() == (kept / "churn.mantic").read_bytes()
    assert stored("models", "import", "churn-2.mantic", "--name", "copy", "--json").facts["model"] == "copy/1"


def test_only_signed_models_are_taken_where_that_is_required(stored, kept, monkeypatch):
    data = kept / "few_churn.csv"
    stored("decide", "churn", "--cost", "fp=1,fn=5")  # churn/3: other content
    stored("keys", "new", "ada")
    stored("models", "sign", "churn/3", "--key", "ada")

    by_option = [stored("predict", words, data, "--require-signature") for words in ("churn/1", "churn/3")]
    monkeypatch.setenv("MANTIC_STORE_SIGNATURE", "require")
    by_setting = [stored("predict", words, data) for words in ("churn/1", "churn/3")]

    assert [done.code for done in (*by_option, *by_setting)] == [2, 0, 2, 0]
    assert "it is not signed" in by_option[0].err
    assert len(stored("models", "show", "churn/3", "--json").facts["signed_by"]) == 1


def test_an_unsigned_or_changed_file_is_refused(stored, kept, tmp_path):
    data = kept / "few_churn.csv"
    shutil.copy(kept / "churn.mantic", "mine.mantic")
    stored("keys", "new", "ada")

    unsigned = stored("predict", "mine.mantic", data, "--require-signature")
    stored("models", "sign", "mine.mantic", "--key", "ada")
    signed = stored("predict", "mine.mantic", data, "--require-signature")
    shutil.copy(kept / "rent.mantic", "mine.mantic")
    changed = stored("predict", "mine.mantic", data, "--require-signature")

    assert (unsigned.code, signed.code, changed.code) == (2, 0, 2)
    assert "it is not signed" in unsigned.err
    assert "of other content" in changed.err


def test_signatures_travel_with_a_model_and_count_where_the_key_is_trusted(stored, kept, monkeypatch, tmp_path):
    stored("keys", "new", "ada")
    stored("models", "sign", "churn", "--key", "ada")
    stored("models", "export", "churn", "--out", "out.mantic")
    stored("keys", "export", "ada", "--out", "ada.pub")
    monkeypatch.setenv("MANTIC_STORE_URL", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("MANTIC_STORE_KEYS", str(tmp_path / "other-keys"))
    assert stored("models", "import", "out.mantic", "--json").facts["n_signatures"] == 1

    stranger = stored("predict", "out", kept / "few_churn.csv", "--require-signature")
    stored("keys", "trust", "ada.pub")
    friend = stored("predict", "out", kept / "few_churn.csv", "--require-signature")

    assert "not trusted here" in stranger.err
    assert friend.code == 0


def test_signatures_of_what_a_file_held_before_do_not_come_along(mantic, kept):
    for name, content in (("ada", "churn"), ("bob", "rent")):
        shutil.copy(kept / f"{content}.mantic", "mine.mantic")
        mantic("keys", "new", name)
        mantic("models", "sign", "mine.mantic", "--key", name)
    signed = mantic("models", "import", "mine.mantic", "--json")
    shutil.copy(kept / "churn.mantic", "mine.mantic")
    stale = mantic("models", "import", "mine.mantic", "--json")

    assert (signed.facts["n_signatures"], stale.facts["n_signatures"]) == (1, 0)
    assert "mine.mantic.sig are of other content" in stale.err
    assert stale.code == 0


def test_keys_are_made_listed_shown_and_removed(mantic):
    made = mantic("keys", "new", "ada", "--json").facts

    listed = mantic("keys", "--json").facts["keys"]
    assert listed == [{"name": "ada", "id": made["id"], "is_own": True}]
    assert "ada" in mantic("keys", "list").out
    assert mantic("keys", "export", "ada").out.startswith("-----BEGIN PUBLIC KEY-----")
    assert "private half" in mantic("keys", "remove", "ada").err
    assert "No key is trusted here yet" in mantic("keys").out
    assert mantic("keys", "trust", "nosuch.pub").code == 2


def test_a_backup_is_restored_elsewhere_and_verified(stored, tmp_path, monkeypatch, kept):
    made = stored("backup", "monday.backup", "--json").facts

    assert made["n_models"] == 1
    assert stored("verify", "monday.backup").code == 0
    assert "restored monday.backup" in stored("restore", "monday.backup", "--to", "again").err
    monkeypatch.setenv("MANTIC_STORE_URL", "again")
    assert "no fault" in stored("verify").err
    assert stored("predict", "churn/2", kept / "few_churn.csv").code == 0
    assert stored("restore", "monday.backup", "--to", "again").code == 2


def test_a_backup_takes_what_deleted_versions_left_away(stored, tmp_path):
    with open_store(read_settings().store.url) as store:
        (tmp_path / "left").write_text("left")
        name = digest(tmp_path / "left")
        store.blobs.put(name, tmp_path / "left")
        os.utime(store.blobs._path(name), (1, 1))

        assert stored("backup", "all.backup").code == 0

        assert store.blobs.size(name) is None
        assert store.verify().faults == ()


def test_a_fault_is_shown_and_the_exit_code_says_so(stored):
    with open_store(read_settings().store.url) as store:
        store.blobs.remove(store.models.get("churn").sha256)

    done = stored("verify")

    assert done.code == 1
    assert "fault: churn/1, churn/2: the content of a kept model is gone" in done.out
    assert stored("verify", "--json").facts["faults"]


def test_what_nothing_points_at_is_mentioned(stored, kept):
    stored("models", "import", kept / "rent.mantic", "--name", "churn")
    stored("models", "delete", "churn/3")

    assert "nothing points at 1 of its files" in stored("verify").err


def test_a_model_is_deployed_tried_out_and_withdrawn(stored):
    put = stored("models", "deploy", "churn")
    tried = stored("models", "canary", "churn/2", "--share", "0.2")
    parts = {one["model"]: one["answers"] for one in stored("models", "--json").facts["models"]}
    shown = stored("models").out
    off = stored("models", "canary", "churn", "--share", "off", "--json")
    away = stored("models", "withdraw", "churn")

    assert "churn/1 is deployed" in put.err
    assert "churn/1 is deployed, churn/2 answers 20 % of the callers" in tried.err
    assert parts == {"churn/1": 0.8, "churn/2": 0.2}
    assert "80 %" in shown
    assert (off.facts["before"]["share"], off.facts["after"]["share"]) == (0.2, 0.0)
    assert "churn is withdrawn" in away.err
    assert {one["answers"] for one in stored("models", "--json").facts["models"]} == {0.0}


def test_a_version_is_deployed_as_the_champion_and_history_tells(stored):
    assert stored("models", "deploy", "churn/2", "--json").facts["after"]["champion"] == 2

    assert [deed["action"] for deed in stored("models", "history", "churn", "--json").facts["deeds"]][:2] == [
        "deploy", "promote",
    ]  # fmt: skip


@pytest.mark.parametrize("share", ["0", "1.5", "nan", "much", "-0.1"])
def test_a_share_that_is_none_is_three_lines(stored, share):
    done = stored("models", "canary", "churn/2", f"--share={share}")

    assert done.code == 2
    assert "is no share" in done.err


def test_what_to_serve_is_said_once(stored):
    for words in ((), ("churn", "--deployed")):
        done = stored("serve", *words, "--port", 0)

        assert done.code == 2
        assert "--deployed" in done.err


@pytest.mark.parametrize(
    "action",
    [
        "list",
        "show",
        "compare",
        "promote",
        "rollback",
        "deploy",
        "withdraw",
        "canary",
        "retire",
        "delete",
        "history",
        "export",
        "import",
        "sign",
    ],
)
def test_every_action_says_what_its_options_are_for(mantic, action):
    done = mantic("models", action, "--help")

    assert done.code == 0
    assert done.out.startswith(f"usage: mantic models {action}")
    assert f"  {action} " in mantic("models", "--help").out


def test_an_action_that_is_mistyped_is_said(stored):
    done = stored("models", "promte", "churn/2")

    assert done.code == 2
    assert "--help" in done.err


def test_no_setting_shows_a_password(mantic, monkeypatch):
    monkeypatch.setenv("MANTIC_STORE_URL", "postgresql://me:hunter2@host/db")

    assert mantic("settings", "--json").facts["store.url"]["value"] == "postgresql://me:***@host/db"
    assert "hunter2" not in mantic("settings").out


def test_a_model_by_its_path_opens_no_store(kept):
    words = ["predict", str(kept / "rent.mantic"), str(kept / "few_rent.csv")]
    code = f"import sys; from mantic.cli.main import main; main({words!r}); print('sqlalchemy' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    table, _, is_loaded = done.stdout.strip().rpartition("\n")
    assert is_loaded == "False"
    assert pl.read_csv(io.StringIO(table)).height == 120


def test_the_facts_of_a_listing_are_plain_json(stored):
    facts = json.loads(stored("models", "--json").out)

    assert {"model", "sha256", "created", "by", "aliases"} <= set(facts["models"][0])


def test_how_a_model_came_about_is_kept_too(mantic, kept):
    mantic("fit", kept / "few_churn.csv", "--target", "churned", *QUICK, "--out", "churn.mantic")

    (run,) = mantic("runs", "--json").facts["runs"]
    shown = mantic("runs", "show", run["id"][:8], "--json").facts

    assert (run["name"], run["state"], run["facts"]["model"]) == ("churn", "done", "churn/1")
    assert run["started"] < run["ended"]
    scores = [one["facts"] for one in shown["events"] if one["kind"] == "measured"]
    assert scores
    assert all(one["seconds_in"] > 0 for one in scores)
    assert "log loss" in mantic("runs", "show", run["id"]).out


def test_a_run_that_is_not_there_is_told(mantic):
    assert "there is no run 'beef'" in mantic("runs", "show", "beef").err
