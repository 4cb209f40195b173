"""Who may ask: every address by every role, keys that end, keys that come too often, and what stays secret."""

import base64
import itertools
import json
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mantic.cli.main import main
from mantic.core.errors import SettingsError
from mantic.serve.app import House, make_app, make_asgi
from mantic.serve.job import JobLimits
from mantic.serve.job_runner import Jobs
from mantic.serve.key_file import KeyFile
from mantic.serve.route import ADDRESSES, SCOPES
from mantic.serve.run import LOOPBACK, check_reach

ROLES: dict[str, tuple[str, ...]] = {
    "nobody": (),
    "stranger": (),
    **{scope: (scope,) for scope in SCOPES},
    "form": ("predict", "explain", "read"),
}
JOBS = "/v1/models/churn/jobs"
ROW = {"age": 30, "plan": "basic", "since": "2023-05-01", "is_member": True}
BODIES = {
    "/v1/feedback": {"json": {"outcomes": [{"id": "a1", "value": "yes"}]}},
    "/v1/models/{name}/jobs": {"content": b"age\n1\n"},
}


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    """Return a file of keys, and a key for each role."""
    file = KeyFile(tmp_path_factory.mktemp("keys") / "keys.json")
    keys = {role: file.new(role, scopes=scopes) for role, scopes in ROLES.items() if scopes}
    return file, keys | {"stranger": f"mantic_{'0' * 8}_{'x' * 43}"}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    with Jobs(tmp_path_factory.mktemp("jobs"), ["true"], JobLimits(running=0, waiting=1_000)) as jobs:
        yield jobs


@pytest.fixture(scope="module")
def guarded(ring, churn, asker, jobs):
    return asker(make_asgi({"churn": churn()}, House(keyring=ring[0], feedback=len, jobs=jobs)))


@pytest.fixture
def a_job(jobs, guarded, ring):
    """Return a function that makes a job which is done; of the role's own, if it may have one."""

    def make(role):
        may = "predict" in ROLES[role]
        answer = guarded("POST", JOBS, headers=bearer(ring[1][role if may else "admin"]), content=b"age\n1\n")
        job = jobs.kept.read(answer.json()["id"])
        (jobs.folder / job.id / job.answers).touch()
        jobs.kept.write(replace(job, state="done"))
        return job.id

    return make


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("address", "role"),
    list(itertools.product(ADDRESSES, ROLES)),
    ids=lambda one: one if isinstance(one, str) else f"{one.method} {one.path}",
)
def test_an_address_answers_who_may_ask_and_nobody_else(address, role, guarded, ring, a_job):
    headers = bearer(ring[1][role]) if role in ring[1] else {}
    asked = BODIES.get(address.path, {"json": {"rows": [ROW]}})
    body = asked if address.method == "POST" else {}
    name = a_job(role) if address.path.startswith("/v1/jobs/") else "churn"

    answer = guarded(address.method, address.path.format(name=name), headers=headers, **body)

    if address.scope is None:
        assert answer.status_code in (200, 503)  # not ready: nobody started it
    elif role in ("nobody", "stranger"):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    elif address.scope in ROLES[role] or role == "admin":
        assert answer.status_code in (200, 202, 204, 307)
    else:
        assert answer.status_code == 403
        assert address.scope in answer.json()["fix"]


def test_every_route_of_the_application_is_in_the_table(churn):
    app = make_app({"churn": churn()})

    found = {(method, route.path) for route in app.routes for method in route.methods - {"HEAD"}}

    assert found == {(one.method, one.path) for one in ADDRESSES}


@pytest.mark.parametrize("path", ["//v1/models", "/v1/models/churn/x", "/v1/models/a/b/c", "/admin"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_no_other_path_or_method_gets_past_the_keys(path, method, guarded):
    assert guarded(method, path).status_code in (404, 405)


@pytest.mark.parametrize("path", [one.path for one in ADDRESSES if one.method == "GET" and one.scope])
@pytest.mark.parametrize("end", ["%0A", "%0D", "%00", "%20", "%2F", "/.", ";", "%3F"])
def test_what_only_looks_like_an_address_does_not_get_past_the_keys(path, end, guarded):
    answer = guarded("GET", path.format(name="churn") + end)

    assert answer.status_code in (307, 401, 404)
    assert answer.status_code != 307 or answer.headers["location"].endswith(path.format(name="churn"))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "BREW"])
def test_no_other_method_gets_past_the_keys(method, guarded):
    known = {(one.method, one.path) for one in ADDRESSES}
    for one in ADDRESSES:
        status = 401 if (method, one.path) in known else 405
        assert guarded(method, one.path.format(name="churn")).status_code == status


def test_a_head_request_needs_the_key_of_a_get(guarded, ring):
    assert guarded("HEAD", "/v1/models").status_code == 401
    assert guarded("HEAD", "/v1/models", headers=bearer(ring[1]["read"])).status_code == 200


def test_a_key_may_come_in_three_ways(guarded, ring):
    key = ring[1]["read"]

    assert guarded("GET", "/v1/models", headers={"X-Api-Key": key}).status_code == 200
    assert guarded("GET", "/v1/models", auth=("anyone", key)).status_code == 200
    assert guarded("GET", "/v1/models", headers={"Authorization": "Basic %%%"}).status_code == 401
    assert guarded("GET", "/v1/models", headers={"Authorization": f"bearer  {key} "}).status_code == 200


@pytest.mark.parametrize(
    "change", [lambda key: key[:-1], lambda key: key + "x", lambda key: key.upper(), lambda key: ""]
)
def test_a_key_that_is_not_quite_right_is_wrong(change, guarded, ring):
    assert guarded("GET", "/v1/models", headers=bearer(change(ring[1]["read"]))).status_code == 401


def test_the_file_holds_no_key_and_is_for_its_owner_alone(ring):
    file, keys = ring
    text = file.path.read_text()

    assert all(key not in text and key.split("_", 2)[2] not in text for key in keys.values())
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_file_that_others_may_read_is_refused(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    file.new("a", scopes=("read",))
    file.path.chmod(0o640)

    with pytest.raises(SettingsError, match="others may read"):
        KeyFile(file.path)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2, "keys": []}', '{"format": 1, "keys": [{"id": "a"}]}'])
def test_a_file_of_something_else_is_refused(text, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(SettingsError, match="no file of keys"):
        KeyFile(path)


def test_a_key_ends(tmp_path, monkeypatch):
    file = KeyFile(tmp_path / "keys.json")
    key = file.new("shop", scopes=("predict",), days=2)
    assert file.find(key)

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400 + 1)

    assert file.find(key) is None


def test_a_revoked_key_is_refused_by_a_server_that_runs(tmp_path, monkeypatch):
    file = KeyFile(tmp_path / "keys.json")
    key, other = file.new("shop", scopes=("predict",)), file.new("form", scopes=("predict",))
    served = KeyFile(file.path)
    assert served.find(key)

    file.revoke("shop")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2)

    assert served.find(key) is None
    assert served.find(other).name == "form"


def test_a_file_that_is_gone_knows_nobody(tmp_path, monkeypatch):
    file = KeyFile(tmp_path / "keys.json")
    key = file.new("shop", scopes=("predict",))

    file.path.unlink()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2)

    assert file.find(key) is None


def test_a_file_that_breaks_while_it_is_served_is_told_and_its_keys_go_on(tmp_path, monkeypatch, caplog):
    file = KeyFile(tmp_path / "keys.json")
    key = file.new("shop", scopes=("predict",))
    whole, now = file.path.read_text("utf-8"), time.monotonic()

    file.path.write_text("{", "utf-8")
    for after in (2, 4):
        monkeypatch.setattr(time, "monotonic", lambda after=after: now + after)
        assert file.find(key)
    assert caplog.text.count("no file of keys") == 1

    file.path.write_text(whole.replace("predict", "explain"), "utf-8")
    monkeypatch.setattr(time, "monotonic", lambda: now + 6)
    assert file.find(key).scopes == {"explain"}


def test_only_one_key_is_revoked(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    for _ in range(2):
        file.new("shop", scopes=("predict",))
    first, second = file.grants()

    with pytest.raises(SettingsError, match="2 keys are called 'shop'"):
        file.revoke("shop")
    file.revoke(first.id)

    assert [one.id for one in file.grants()] == [second.id]
    with pytest.raises(SettingsError, match="no key 'x'"):
        file.revoke("x")


SENSELESS = [{"scopes": ("dance",)}, {"scopes": ()}, {"scopes": ("read",), "days": 0}]


@pytest.mark.parametrize("options", [*SENSELESS, {"scopes": ("read",), "per_second": -1}])
def test_a_key_that_makes_no_sense_is_not_made(options, tmp_path):
    file = KeyFile(tmp_path / "keys.json")

    with pytest.raises(SettingsError):
        file.new("a", **options)

    assert not file.path.exists()


def test_who_comes_too_often_is_told_when_to_come_again(tmp_path, churn, asker, monkeypatch):
    file = KeyFile(tmp_path / "keys.json")
    slow, other = (bearer(file.new(name, scopes=("read",), per_second=n)) for name, n in (("slow", 2), ("other", None)))
    ask = asker(make_asgi({"churn": churn()}, House(keyring=file)))
    now = time.monotonic()
    monkeypatch.setattr("mantic.serve.keyring.time.monotonic", lambda: now)

    statuses = [ask("GET", "/v1/models", headers=slow).status_code for _ in range(4)]

    assert statuses == [200, 200, 429, 429]
    assert ask("GET", "/v1/models", headers=slow).headers["retry-after"] == "1"
    assert ask("GET", "/v1/models", headers=other).status_code == 200
    monkeypatch.setattr("mantic.serve.keyring.time.monotonic", lambda: now + 0.6)
    assert [ask("GET", "/v1/models", headers=slow).status_code for _ in range(2)] == [200, 429]


def test_no_other_machine_is_served_without_keys(ring):
    for host in LOOPBACK:
        check_reach(host, None)
    check_reach("0.0.0.0", ring[0])
    for host in ("0.0.0.0", "::", "192.0.2.7", "example.org", ""):
        with pytest.raises(SettingsError, match="nobody is asked for a key") as caught:
            check_reach(host, None)
        assert "api-keys new" in caught.value.fix


def test_a_page_from_elsewhere_cannot_call_a_server_of_this_machine(churn, asker):
    ask = asker(make_asgi({"churn": churn()}, House(hosts=("localhost", "[::1]"))))

    for host in ("localhost", "LOCALHOST:8000", "[::1]:8000", "[::1]"):
        assert ask("GET", "/v1/models", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "evil.example:8000", "localhost.evil.example", ""):
        assert ask("GET", "/v1/models", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://other", "Sec-Fetch-Site": "same-origin"}, 200),  # a proxy has changed the name
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.localhost", "Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_a_page_of_another_site_cannot_use_the_password_that_a_browser_keeps(said, status, guarded, ring):
    key = ring[1]["predict"]
    path, body = "/v1/models/churn/predict", json.dumps({"rows": [ROW]})
    password = {"Authorization": f"Basic {base64.b64encode(f':{key}'.encode()).decode()}"}

    answer = guarded("POST", path, headers={"Content-Type": "text/plain", **password, **said}, content=body)

    assert answer.status_code == status
    for own in ({"Authorization": f"Bearer {key}"}, {"X-Api-Key": key}):
        assert guarded("POST", path, headers={**own, **said}, content=body).status_code == 200


def test_a_page_of_another_site_cannot_use_a_server_of_this_machine(churn, asker):
    ask = asker(make_asgi({"churn": churn()}, House(hosts=("localhost",))))

    answer = ask("POST", "/v1/models/churn/predict", headers={"Sec-Fetch-Site": "cross-site"}, json={"rows": [ROW]})

    assert answer.status_code == 403


def test_the_verb_makes_lists_and_revokes(tmp_path, capsys):
    keys = ["--keys", str(tmp_path / "keys.json")]

    assert main(["api-keys", "new", "shop", "--scope", "predict", "--scope", "read", "--days", "7", *keys]) == 0
    out = capsys.readouterr()
    key = out.out.strip()
    assert KeyFile(tmp_path / "keys.json").find(key).scopes == {"predict", "read"}
    assert key not in out.err

    assert main(["api-keys", "list", "--json", *keys]) == 0
    listed = json.loads(capsys.readouterr().out)["keys"]
    assert [(one["name"], one["scopes"], one["is_valid"]) for one in listed] == [("shop", ["predict", "read"], True)]
    assert main(["api-keys", "list", *keys]) == 0
    assert "predict, read" in capsys.readouterr().out

    assert main(["api-keys", "revoke", "shop", *keys]) == 0
    assert KeyFile(tmp_path / "keys.json").find(key) is None


MISSING = [["new", "--keys", "k.json"], ["list"], ["dance", "--keys", "k.json"]]


@pytest.mark.parametrize("words", [*MISSING, ["new", "a", "--scope", "x", "--keys", "k.json"]])
def test_the_verb_says_what_is_missing(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert main(["api-keys", *words]) == 2

    assert "fix:" in capsys.readouterr().err
    assert not list(Path(tmp_path).iterdir())


def test_serving_others_without_keys_is_refused_before_anything_is_loaded(capsys):
    assert main(["serve", "no-such-file.mantic", "--host", "0.0.0.0"]) == 2

    assert "--keys" in capsys.readouterr().err


def test_no_answer_and_no_count_tells_a_key(guarded, ring, caplog):
    key = ring[1]["predict"]
    answers = [
        guarded("GET", "/v1/models", headers=bearer(key)),
        guarded("GET", "/v1/models", headers=bearer(f"{key}x")),
        guarded("POST", "/v1/models/churn/predict", json={"rows": [ROW]}, headers=bearer(key)),
        guarded("POST", f"/v1/models/{key}/predict", headers=bearer(key)),
        guarded("GET", "/metrics", headers=bearer(ring[1]["read"])),
        guarded("GET", "/docs", headers=bearer(ring[1]["read"])),
    ]

    secret = key.split("_", 2)[2]  # which may have the sign in it
    told = [answer.text for answer in answers if answer.request.url.path != f"/v1/models/{key}/predict"]
    assert not any(secret in text for text in [*told, caplog.text, *map(str, (answer.headers for answer in answers))])


def test_keys_that_are_made_at_one_moment_are_all_kept(tmp_path):
    keys = KeyFile(tmp_path / "keys.json")
    threads = [
        threading.Thread(target=keys.new, args=(f"shop {number}",), kwargs={"scopes": ("predict",)})
        for number in range(20)
    ]

    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(KeyFile(tmp_path / "keys.json").grants()) == 20


def test_a_key_that_was_taken_can_be_put_back(tmp_path):
    keys = KeyFile(tmp_path / "keys.json")
    key = keys.new("shop", scopes=("predict",))

    kept = keys.take("shop")
    assert keys.find(key) is None

    keys.put_back(kept)
    assert KeyFile(tmp_path / "keys.json").find(key) == kept.grant


def test_a_key_that_another_process_revokes_meanwhile_stays_revoked(tmp_path, monkeypatch):
    one, other = KeyFile(tmp_path / "keys.json"), KeyFile(tmp_path / "keys.json")
    key = one.new("shop", scopes=("predict",))
    usual = one._write
    revoker = threading.Thread(target=other.revoke, args=("shop",))

    def write_late():
        revoker.start()
        revoker.join(0.2)  # it waits for this one
        usual()

    monkeypatch.setattr(one, "_write", write_late)
    one.new("cafe", scopes=("predict",))
    revoker.join()

    again = KeyFile(tmp_path / "keys.json")
    assert again.find(key) is None
    assert [grant.name for grant in again.grants()] == ["cafe"]
