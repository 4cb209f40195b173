"""From data to a question that can be asked, in words and as a command."""

import re
import time
from html import unescape

import polars as pl
import pytest
from starlette.testclient import TestClient

from mantic.studio.draft import READY, Draft, Question
from mantic.studio.outlook import Outlook
from mantic.studio.question import words_of
from mantic.studio.role import Role
from mantic.studio.studio import Studio


@pytest.fixture
def churn(studio: Studio, client: TestClient, churn_like: pl.DataFrame) -> Draft:
    frame = churn_like.with_columns(refund=(pl.col("churned") == "yes").cast(pl.Int64) * 7)
    return brought(studio, client, frame, "churn.csv")


def brought(studio: Studio, client: TestClient, frame: pl.DataFrame, name: str) -> Draft:
    reply = client.post("/new", content=frame.write_csv().encode(), headers={"X-File-Name": name, "HX-Request": "true"})
    draft = reply.headers["HX-Redirect"].rpartition("/")[2]
    until = time.monotonic() + 60
    while studio.drafts.read(draft).state != READY:
        assert time.monotonic() < until
        time.sleep(0.05)
    return studio.drafts.read(draft)


def ask(client: TestClient, draft: Draft, **form: object) -> str:
    reply = client.post(f"/drafts/{draft.id}/question", data=form, headers={"HX-Request": "true"})
    assert reply.status_code == 200, reply.text
    return unescape(reply.text)


def test_before_a_column_is_chosen_nothing_can_be_trained(client: TestClient, churn: Draft) -> None:
    page = client.get(f"/drafts/{churn.id}/question")
    reply = client.post(f"/drafts/{churn.id}/train", data={})

    assert "Choose a column" in page.text
    assert 'id="train"' not in page.text
    assert reply.status_code >= 400
    assert "click the column" in reply.text


def test_a_column_becomes_a_sentence_and_a_command(client: TestClient, churn: Draft, churn_like: pl.DataFrame) -> None:
    share = round(100 * float((churn_like["churned"] == "yes").mean()))

    part = ask(client, churn, target="churned")

    assert f"Predict churned (yes or no): {share} % yes; judged by log loss" in part
    assert "mantic fit churn.csv --target churned --budget 60s --out churn.mantic --report report.html" in part
    assert client.get(f"/drafts/{churn.id}/question").text.count("checked") == 1


def test_a_number_is_predicted_as_one(client: TestClient, churn: Draft) -> None:
    part = ask(client, churn, target="charges")

    assert "Predict charges, a number from" in part
    assert "root mean squared error" in part
    assert 'name="fp"' not in part


def test_all_that_is_chosen_stands_in_the_command(studio: Studio, client: TestClient, churn: Draft) -> None:
    client.post(f"/drafts/{churn.id}/kind", data={"column": "tenure", "kind": "category"})
    ask(client, churn, target="churned")

    part = ask(
        client, churn, target="churned", pace="4", metric="roc_auc", positive="no", task="classify", time="joined",
        group="city", drop=["note", "customer"], fp="1", fn="10", unit="EUR", capacity="5%",
    )  # fmt: skip

    command = re.search(r'id="command">(.*?)</code>', part)
    assert command is not None
    assert command[1] == (
        "mantic fit churn.csv --target churned --budget 2m --task classify --metric roc_auc --positive no "
        "--time joined --group city --cost fp=1,fn=10 --capacity 5% --unit EUR --drop note --drop customer "
        "--kind tenure=category --out churn.mantic --report report.html"
    )
    assert studio.drafts.read(churn.id).question.drop == ("note", "customer")


def test_what_stands_in_the_form_is_trained_even_if_nothing_was_sent_before(
    studio: Studio, client: TestClient, churn: Draft
) -> None:
    ask(client, churn, target="churned")

    reply = client.post(f"/drafts/{churn.id}/train", data={"target": "churned", "pace": "0", "drop": "note"})

    training = studio.trainer.folder.read(reply.headers["location"].rpartition("/")[2])
    studio.trainer.stop(training.run)
    assert "--budget 10s" in " ".join(training.words)
    assert "--drop note" in " ".join(training.words)


def test_who_asks_twice_for_the_same_training_gets_one(studio: Studio, client: TestClient, churn: Draft) -> None:
    studio.trainer.close()
    form = {"target": "churned", "shown": "churned", "pace": "0"}
    ask(client, churn, target="churned")

    first, second, other = (
        client.post(f"/drafts/{churn.id}/train", data=form | more).headers["location"]
        for more in ({}, {}, {"metric": "roc_auc"})
    )

    assert first == second != other
    assert len(studio.trainer.folder.going()) == 2


def test_a_page_that_is_still_open_trains_what_it_shows(studio: Studio, client: TestClient, churn: Draft) -> None:
    form = {"target": "churned", "shown": "churned", "pace": "0", "drop": "note", "metric": "roc_auc"}
    ask(client, churn, target="charges")  # in another tab

    reply = client.post(f"/drafts/{churn.id}/train", data=form)

    training = studio.trainer.folder.read(reply.headers["location"].rpartition("/")[2])
    studio.trainer.stop(training.run)
    words = " ".join(training.words)
    assert all(one in words for one in ("--target churned", "--drop note", "--metric roc_auc", "--budget 10s"))


def test_a_target_that_was_only_just_chosen_is_shown_before_it_is_trained(
    studio: Studio, client: TestClient, churn: Draft
) -> None:
    ask(client, churn, target="churned")

    reply = client.post(
        f"/drafts/{churn.id}/train", data={"target": "charges", "shown": "churned", "metric": "roc_auc"}
    )

    assert reply.headers["location"].endswith(f"/drafts/{churn.id}/question")
    assert studio.drafts.read(churn.id).question == Question(target="charges")
    assert 'name="shown" value="charges"' in client.get(f"/drafts/{churn.id}/question").text


def test_amounts_keep_all_their_digits(studio: Studio, client: TestClient, churn: Draft) -> None:
    ask(client, churn, target="churned")

    ask(client, churn, target="churned", fp="1234567,5", fn="3")

    assert studio.drafts.read(churn.id).question.cost == "fp=1234567.5,fn=3"


def test_another_target_begins_anew(studio: Studio, client: TestClient, churn: Draft) -> None:
    ask(client, churn, target="churned")
    ask(client, churn, target="churned", metric="roc_auc", pace="2", drop=["note"])

    ask(client, churn, target="charges", metric="roc_auc", drop=["note"])

    assert studio.drafts.read(churn.id).question == Question(target="charges", budget="30s")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"pace": "soon"}, "no such length of time"),
        ({"pace": "9" * 30}, "no such length of time"),
        ({"pace": "0" * 30}, "no such length of time"),
        ({"fp": "12,500"}, "a cost is a number"),
        ({"horizon": "000000001" + "9" * 5_000}, "no number of steps"),
        ({"fp": "much"}, "a cost is a number"),
        ({"fp": "/etc/passwd"}, "a cost is a number"),
        ({"capacity": "many"}, "many"),
        ({"time": "nosuch"}, "no such column for time"),
    ],
)
def test_what_is_no_choice_is_said_and_nothing_is_changed(
    studio: Studio, client: TestClient, churn: Draft, form: dict[str, str], words: str
) -> None:
    ask(client, churn, target="churned")

    reply = client.post(f"/drafts/{churn.id}/question", data={"target": "churned", **form}, headers={"HX-Request": "1"})

    assert reply.status_code >= 400
    assert words in unescape(reply.text)
    assert studio.drafts.read(churn.id).question == Question(target="churned")


def test_a_target_that_cannot_be_predicted_says_why(studio: Studio, client: TestClient) -> None:
    frame = pl.DataFrame({"same": ["x"] * 60, "name": [f"n{n} {n * 7}" for n in range(60)], "size": list(range(60))})
    draft = brought(studio, client, frame, "odd.csv")

    assert "cannot be predicted" in ask(client, draft, target="same")
    assert "too many to learn each" in ask(client, draft, target="name")


def test_a_column_that_knows_the_answer_is_named_and_left_out_by_a_click(
    studio: Studio, client: TestClient, churn: Draft
) -> None:
    ask(client, churn, target="churned")

    before = client.get(f"/drafts/{churn.id}/question/outlook", headers={"HX-Request": "true"}).text
    for _ in range(2):  # a double click
        client.post(f"/drafts/{churn.id}/question/leave-out", data={"column": "refund"})
    after = client.get(f"/drafts/{churn.id}/question/outlook", headers={"HX-Request": "true"}).text

    assert "<code>refund</code>" in before
    assert "<code>refund</code>" not in after
    assert "One fit takes about" in after
    assert "--drop refund" in client.get(f"/drafts/{churn.id}/question").text


def test_more_time_is_expected_to_be_good_for_more() -> None:
    outlook = Outlook(fit_seconds=2.0, n_probed=6000, n_first=12)

    short, middle, long = (outlook.expect(budget) for budget in ("10s", "2m", "1h"))

    assert "hardly compared" in short
    assert "tried once" in middle
    assert "variants of the best" in long


def test_columns_and_classes_with_spaces_at_their_ends_are_used_like_others(studio: Studio, client: TestClient) -> None:
    rows = range(120)
    frame = pl.DataFrame(
        {
            "score": [n % 7 for n in rows], " age": [20 + n % 50 for n in rows], "team ": [n % 9 for n in rows],
            " day": [f"2026-01-{1 + n % 28:02}" for n in rows], " churned": [("no ", " yes")[n % 3 == 0] for n in rows],
        }
    )  # fmt: skip
    draft = brought(studio, client, frame, "churn.csv")
    ask(client, draft, target=" churned")

    part = ask(
        client, draft, target=" churned", shown=" churned", time=" day", group="team ", drop=" age", positive="no "
    )
    kind = client.post(f"/drafts/{draft.id}/kind", data={"column": "team ", "kind": "category"})
    out = client.post(f"/drafts/{draft.id}/question/leave-out", data={"column": "team "})

    asked = studio.drafts.read(draft.id)
    assert (kind.status_code, out.status_code) == (303, 303)
    assert '<option value=" day" selected> day</option>' in part
    assert asked.kinds == {"team ": "category"}
    assert asked.question == Question(" churned", time=" day", group="team ", drop=(" age", "team "), positive="no ")


def test_columns_with_odd_names_can_be_asked_for_and_left_out() -> None:
    draft = Draft("0", "t", "data.csv", "ada", 0.0, question=Question("-x", drop=("a,b", "--no-store")))

    assert words_of(draft, "t.csv")[2:7] == ("--target=-x", "--budget", "60s", "--kind", "a,b=id")
    assert "--drop=--no-store" in words_of(draft, "t.csv")


def test_five_thousand_columns_are_a_page_like_any_other(studio: Studio, client: TestClient) -> None:
    frame = pl.DataFrame({f"column {n}": [n % 7, 1, 2, 3, 4, 5] * 10 for n in range(5_000)})
    draft = brought(studio, client, frame, "wide.csv")

    part = ask(client, draft, target="column 4321")
    page = client.get(f"/drafts/{draft.id}/question").text

    assert "Predict column 4321" in part
    assert len(page) < 250_000
    assert client.post(f"/drafts/{draft.id}/question", data={"target": "column 9999"}).status_code >= 400


def test_rows_without_an_answer_and_rare_classes_are_remarked(studio: Studio, client: TestClient) -> None:
    frame = pl.DataFrame({"size": range(100), "kind": ["a", "b"] * 47 + ["odd"] * 2 + [None] * 4})

    part = ask(client, brought(studio, client, frame, "kinds.csv"), target="kind")

    assert "Predict kind, one of 3 classes: 49 % are a" in part
    assert "4 rows have no value in 'kind'" in part
    assert "96 rows are few" in part
    assert "Hardly any rows of odd" in part


def test_names_of_columns_and_classes_are_text_and_nothing_more(studio: Studio, client: TestClient) -> None:
    evil = "<script>alert(1)</script>"
    frame = pl.DataFrame({evil: ["<b>", "no"] * 40, "size": list(range(80))})
    draft = brought(studio, client, frame, "evil.csv")

    client.post(f"/drafts/{draft.id}/question", data={"target": evil})
    page = client.get(f"/drafts/{draft.id}/question").text

    assert evil not in page
    assert "<b>" not in page.replace("<b>mantic</b>", "")


def test_who_may_only_look_changes_nothing(enter, churn: Draft) -> None:
    viewer = enter(Role.VIEWER)

    replies = [viewer.post(f"/drafts/{churn.id}/{what}", data={"target": "churned"}) for what in ("question", "train")]

    assert [reply.status_code for reply in replies] == [403, 403]
