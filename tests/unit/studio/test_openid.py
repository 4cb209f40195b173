"""Sign-in by an OpenID provider: a small one that this test runs, honest or not."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.testclient import TestClient

from mantic.core.errors import SettingsError
from mantic.core.settings import StudioSettings, read_settings
from mantic.studio.app import make_studio
from mantic.studio.provider import provider_of
from mantic.studio.role import Role
from mantic.studio.studio import Studio, open_studio
from mantic.studio.visitors import COOKIE

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
SECRET = "the provider's secret + ?"
CLAIMS = {"sub": "248289761001", "preferred_username": "eve", "email": "eve@example.com"}


def b64(content: bytes | dict[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def public(kid: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "kid": kid, "use": "sig", "n": number(numbers.n), "e": number(numbers.e)}
    point = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": number(point.x), "y": number(point.y)}


def signed(claims: dict[str, Any], alg: str = "RS256", kid: str = "one", key: Any = RSA) -> str:
    text = f"{b64({'alg': alg, 'kid': kid})}.{b64(claims)}"
    if alg == "ES256":
        halves = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
        signature = b"".join(half.to_bytes(32) for half in halves)
    elif alg == "RS256":
        signature = key.sign(text.encode(), padding.PKCS1v15(), SHA256())
    else:
        signature = b""
    return f"{text}.{b64(signature)}"


@dataclass
class Fake:
    """A provider that lets everybody in; `claims`, `sign` and `keys` say how it lies."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Any = signed
    keys: list[dict[str, str]] = field(default_factory=lambda: [public("one", RSA)])
    about: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def allow(self, address: str) -> str:
        """Do as if somebody signed in at the address to which they were sent; return where they are sent back."""
        parts = urlsplit(address)
        said = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.url}/authorize"
        assert (said["response_type"], said["client_id"], said["code_challenge_method"]) == ("code", "studio", "S256")
        code = f"code{len(self.codes)}"
        self.codes[code] = said
        return f"{said['redirect_uri']}?code={code}&state={said['state']}"

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Return what is answered to a request."""
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            about = {name: f"{self.url}/{end}" for name, end in names.items()}
            return 200, {"issuer": self.url} | about | self.about
        if path == "/keys":
            return 200, {"keys": self.keys}
        said = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(b"studio:the%20provider%27s%20secret%20%2B%20%3F").decode()
        challenge = b64(sha256(form.get("code_verifier", "").encode()).digest())
        if said is None or authorization != f"Basic {pair}" or challenge != said["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != said["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = time.time()
        usual = {"iss": self.url, "aud": "studio", "exp": now + 300, "iat": now, "nonce": said["nonce"], **CLAIMS}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(usual | self.claims)}


@pytest.fixture
def fake() -> Iterator[Fake]:
    """Run a provider."""
    made = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            n_bytes = int(self.headers.get("Content-Length", 0))
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(n_bytes).decode()).items()}
            status, answer = made.answer(self.path, form, self.headers.get("Authorization", ""))
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def studio(fake: Fake, tmp_path) -> Iterator[Studio]:
    """Return a Studio that knows the provider."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    said = {
        "store.url": str(tmp_path / "store"), "studio.oidc_issuer": fake.url, "studio.oidc_client": "studio",
        "studio.oidc_secret": str(tmp_path / "secret"), "studio.oidc_role": "editor",
    }  # fmt: skip
    with open_studio(read_settings(said, environ={}, folder=tmp_path)) as opened:
        yield opened


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:
    with TestClient(make_studio(studio), follow_redirects=False) as client:
        yield client


def _sign_in(fake: Fake, browser: TestClient, to: str = "/") -> Any:
    sent = browser.get("/signin/openid", params={"to": to}).headers["location"]
    return browser.get(fake.allow(sent))


def test_who_is_new_comes_in_by_the_role_of_newcomers_and_is_known_the_next_time(studio, fake, browser) -> None:
    reply = _sign_in(fake, browser, "/new")

    assert reply.status_code == 200  # not a redirect: the strict cookie would not be sent with it
    assert "url=/new" in reply.text
    visitor = studio.visitors.who(browser.cookies[COOKIE])
    assert (visitor.name, visitor.role) == ("eve", Role.EDITOR)
    studio.store.people.set_role(visitor.id, "viewer", by="test")

    browser.cookies.clear()
    _sign_in(fake, browser)

    assert studio.visitors.who(browser.cookies[COOKIE]).role is Role.VIEWER
    assert [one.subject for one in studio.store.people.list()] == [f"{fake.url} 248289761001"]


def test_a_name_is_no_proof_of_who_one_is(studio, fake, browser) -> None:
    boss = studio.store.people.add("eve", "admin")
    studio.store.people.add("eve@example.com", "admin")

    _sign_in(fake, browser)

    visitor = studio.visitors.who(browser.cookies[COOKIE])
    assert (visitor.name, visitor.role) == ("eve 2", Role.EDITOR)
    assert studio.store.people.get(boss.id).subject is None


@pytest.mark.parametrize("name", ["", "\x00\x1b", "...", "x" * 500, 7])
def test_whatever_the_provider_calls_somebody_they_get_a_name(studio, fake, browser, name) -> None:
    fake.claims = {"preferred_username": name, "email": None}

    assert _sign_in(fake, browser).status_code == 200
    assert 0 < len(studio.store.people.list()[0].name) <= 60


def test_who_was_disabled_stays_out(studio, fake, browser) -> None:
    eve = studio.store.people.add("Eve", "editor", subject=f"{fake.url} 248289761001")
    studio.store.people.owner("root")
    studio.store.people.disable(eve.id)

    assert _sign_in(fake, browser).status_code == 409
    assert COOKIE not in browser.cookies


def test_keys_of_a_curve_and_new_keys_are_good_too(fake, browser) -> None:
    assert _sign_in(fake, browser).status_code == 200
    fake.keys = [public("two", CURVE)]
    fake.sign = lambda claims: signed(claims, "ES256", "two", CURVE)

    assert _sign_in(fake, browser).status_code == 200


LIES = {
    "another audience": {"claims": {"aud": "somebody"}},
    "two audiences": {"claims": {"aud": ["studio", "somebody"]}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "too old": {"claims": {"exp": 1000}},
    "from tomorrow": {"claims": {"iat": 4e9}},
    "of another sign-in": {"claims": {"nonce": "x"}},
    "nobody": {"claims": {"sub": ""}},
    "no subject": {"claims": {"sub": None}},
    "not signed": {"sign": lambda claims: signed(claims, "none")},
    "signed by the public key as a secret": {"sign": lambda claims: signed(claims, "HS256")},
    "signed by another key": {"sign": lambda claims: signed(claims, key=OTHER)},
    "a key of another kind": {"sign": lambda claims: signed(claims, "ES256", "one", CURVE)},
    "an unknown key": {"sign": lambda claims: signed(claims, kid="nine")},
    "cut off": {"sign": lambda claims: signed(claims)[:-9]},
    "no token": {"sign": lambda claims: "x"},
    "no JSON": {"sign": lambda claims: f"{b64(b'{')}.{b64(b'{')}.x"},
    "changed": {"sign": lambda claims: _changed(signed(claims))},
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{b64(claims | {'sub': 'root'})}.{signature}"


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_token_that_cannot_be_believed_lets_nobody_in(studio, fake, browser, lie) -> None:
    for name, value in lie.items():
        setattr(fake, name, value)

    reply = _sign_in(fake, browser)

    assert reply.status_code == 403
    assert "cannot be believed" in reply.text
    assert studio.store.people.list() == []
    assert COOKIE not in browser.cookies


def test_who_comes_back_twice_or_with_another_browser_is_refused(studio, fake, browser) -> None:
    back = fake.allow(browser.get("/signin/openid").headers["location"])
    with TestClient(make_studio(studio), follow_redirects=False) as other:
        assert (
            other.get(back).status_code == 403
        )  # a link that was sent to somebody: they would be signed in as another
    assert browser.get(back).status_code == 403  # it was spent
    back = fake.allow(browser.get("/signin/openid").headers["location"])
    assert browser.get(back).status_code == 200
    assert browser.get(back).status_code == 403
    assert browser.get("/signin/openid/back?state=x&code=y").status_code == 403


def test_who_was_turned_away_there_is_told(fake, browser) -> None:
    sent = browser.get("/signin/openid").headers["location"]
    state = parse_qs(urlsplit(sent).query)["state"][0]

    reply = browser.get(f"/signin/openid/back?error=access_denied&state={state}")

    assert reply.status_code == 403
    assert "did not let you in" in reply.text


@pytest.mark.parametrize(
    "about",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": "file:///etc/passwd"},
     {"authorization_endpoint": ""}],
)  # fmt: skip
def test_a_provider_that_sends_elsewhere_is_not_followed(fake, browser, about) -> None:
    fake.about = about

    reply = browser.get("/signin/openid")

    assert reply.status_code == 502
    assert fake.asked == ["/.well-known/openid-configuration"]


def test_a_provider_that_is_down_is_said_and_not_asked_for_ever(fake, browser) -> None:
    fake.answer = lambda *_: (500, b"oh")
    told = [browser.get("/signin/openid").status_code for _ in range(25)]

    assert told == [502] * 20 + [429] * 5


def test_no_secret_of_the_provider_is_shown(studio, fake, browser) -> None:
    fake.codes.clear()
    sent = browser.get("/signin/openid").headers["location"]
    back = fake.allow(sent)
    fake.codes.clear()  # the provider knows nothing of it
    reply = browser.get(back)

    assert reply.status_code == 502
    assert SECRET not in reply.text
    assert SECRET not in sent
    assert SECRET not in repr(studio.provider)


def test_the_page_of_sign_in_leads_there(fake, browser) -> None:
    assert 'href="/signin/openid?to=%2Fnew"' in browser.get("/signin?to=/new").text


@pytest.mark.parametrize(
    "said",
    [{"oidc_issuer": "http://id.example", "oidc_client": "x"}, {"oidc_issuer": "https://id.example"},
     {"oidc_issuer": "https://id.example", "oidc_client": "x", "oidc_secret": "/not/there"}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_said(said) -> None:
    with pytest.raises(SettingsError):
        provider_of(StudioSettings(**said))


def test_without_a_provider_there_is_no_such_page(tmp_path) -> None:
    settings = read_settings({"store.url": str(tmp_path / "store")}, environ={}, folder=tmp_path)
    with open_studio(settings) as studio, TestClient(make_studio(studio), follow_redirects=False) as client:
        assert client.get("/signin/openid").status_code == 404
        assert client.get("/signin/openid/back").status_code == 404
