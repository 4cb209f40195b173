"""A row by hand, its answer and its reasons; a file of rows."""

import time

import polars as pl
import pytest
from starlette.testclient import TestClient

from mantic.core.schema import Column, Kind, Schema
from mantic.studio.form import fields_of, row_of
from mantic.studio.role import Role
from mantic.studio.studio import Studio
from mantic.tasks.classify import Classifier
from mantic.tasks.regress import Regressor


@pytest.fixture
def churn(studio: Studio, churn_like: pl.DataFrame) -> str:
    """Keep a model of churn; return its address."""
    model = Classifier(budget="3 trials", learners=["linear"]).fit(churn_like.drop("customer"), "churned")
    studio.store.models.register(model, "churn")
    return "/models/churn/1/try"


def form(page: str) -> dict[str, str]:
    """Return what stands in the fields of a page, by their names."""
    import re

    return dict(re.findall(r'<(?:input|textarea)[^>]* name="(row\.[^"]+)"[^>]*? value="([^"]*)"', page))


def test_the_form_has_every_column_and_an_answer(client: TestClient, churn: str) -> None:
    page = client.get(churn).text

    assert {"row.tenure", "row.charges", "row.plan", "row.city", "row.joined"} <= set(form(page))
    assert 'class="big"' in page
    assert "Mostly because" in page


@pytest.mark.parametrize("page", ["/", "/models/churn/deploy"])
def test_the_model_that_is_likely_to_be_opened_is_loaded_beside_the_page(
    studio: Studio, client: TestClient, churn: str, page: str
) -> None:
    assert not studio.loaded.holds("churn", 1)

    client.get(page)

    until = time.monotonic() + 60
    while not studio.loaded.holds("churn", 1):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_answer_is_that_of_the_model(studio: Studio, client: TestClient, churn: str) -> None:
    data = form(client.get(churn).text) | {"row.tenure": "1", "row.charges": "150", "row.paperless": "false"}
    row = row_of(studio.loaded.get("churn", 1).schema_, {name: (value,) for name, value in data.items()})
    share = max(studio.loaded.get("churn", 1).predict_proba_one(row).values())

    part = client.post(churn, data=data, headers={"HX-Request": "true"}).text

    assert "<html" not in part
    assert f'value="{share:.4f}"' in part


def test_what_is_no_number_is_said_and_not_guessed(client: TestClient, churn: str) -> None:
    reply = client.post(churn, data={"row.tenure": "many"}, headers={"HX-Request": "true"})

    assert reply.status_code == 422
    assert "tenure" in reply.text
    assert "many" in reply.text


def test_an_empty_field_is_missing() -> None:
    schema = Schema((Column("age", Kind.NUMBER), Column("member", Kind.BOOLEAN), Column("name", Kind.ID)))

    row = row_of(schema, {"row.age": ("",), "row.member": ("true",), "row.name": ("x",)})

    assert row == {"age": None, "member": True}


def test_a_slider_stands_where_a_range_is_known() -> None:
    columns = (
        Column("age", Kind.NUMBER, low=18.0, high=94.0),
        Column("share", Kind.NUMBER, low=0.0, high=1.0),
        Column("odd", Kind.NUMBER),
    )

    steps = {one.name: one.step for one in fields_of(Schema(columns))}

    assert steps == {"age": 1.0, "share": 0.005, "odd": None}


def test_what_would_change_the_answer_and_what_is_like_it(client: TestClient, churn: str) -> None:
    data = form(client.get(churn).text)

    change = client.post(f"{churn}/change", data=data | {"wanted": "yes"}, headers={"HX-Request": "true"})
    other = client.post(f"{churn}/change", data=data | {"wanted": "no"}, headers={"HX-Request": "true"})
    like = client.post(f"{churn}/similar", data=data)

    assert {change.status_code, other.status_code, like.status_code} == {200}
    assert "already" in change.text or "already" in other.text
    assert "Way 1" in change.text + other.text
    assert "most like this one" in like.text


def test_a_number_comes_with_its_interval(studio: Studio, client: TestClient, rent_like: pl.DataFrame) -> None:
    model = Regressor(budget="2 trials", learners=["linear"]).fit(rent_like.drop("customer"), "spend")
    studio.store.models.register(model, "spend")

    page = client.get("/models/spend/1/try").text
    wanted = form(page) | {"wanted": "more"}
    more = client.post("/models/spend/1/try/change", data=wanted | {"by": "20,5"}).text

    assert "90 % of such rows lie between" in page
    assert "What would change it" in more
    for text in ("a lot", "nan", "inf", "0", "-3"):
        refused = client.post("/models/spend/1/try/change", data=wanted | {"by": text})
        assert (refused.status_code, "is no change of an answer" in refused.text) == (400, True)


def test_a_file_of_rows_is_answered_beside_the_pages(
    studio: Studio, client: TestClient, churn: str, churn_like_new: pl.DataFrame
) -> None:
    body = churn_like_new.write_csv().encode()

    begun = client.post(f"{churn}/file", content=body, headers={"HX-Request": "true"})
    until = time.monotonic() + 60
    while "Download" not in (part := client.get(f"{churn}/files").text) and time.monotonic() < until:
        time.sleep(0.1)

    answers = client.get(part.partition('href="')[2].partition('"')[0])
    assert begun.headers["HX-Redirect"] == churn
    assert len(pl.read_csv(answers.content)) == churn_like_new.height
    assert client.post(f"/jobs/{studio.jobs.kept.all()[0].id}/remove", data={"back": churn}).status_code == 303
    assert studio.jobs.kept.all() == []


def test_a_viewer_may_try_and_not_bring(enter, churn: str) -> None:
    viewer = enter(Role.VIEWER)

    assert viewer.post(churn, data=form(viewer.get(churn).text)).status_code == 200
    assert viewer.post(f"{churn}/file", content=b"a\n1\n").status_code == 403


def test_a_version_that_is_not_there_is_a_page_that_says_so(client: TestClient, churn: str) -> None:
    assert client.get("/models/churn/9/try").status_code == 404
    assert client.get("/models/churn/x/try").status_code == 404
