"""An OpenID provider: where people are sent to sign in, and what it says when they come back (with PKCE, RFC 7636)."""

import base64
import hmac
import secrets
import threading
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit

from mantic.core.errors import ManticError, SettingsError
from mantic.core.settings import StudioSettings
from mantic.core.strict_json import read_json
from mantic.serve.run import LOOPBACK
from mantic.studio.id_token import Expected, TokenError, check_token

_WAIT_SECONDS = 10.0
_KNOWN_SECONDS = 3600.0  # how long what the provider says of itself is taken for granted
_AWAY_SECONDS = 600.0  # how long somebody may take to sign in there
_MOST_AWAY = 1000
_MOST_BYTES = 1_000_000


class ProviderError(ManticError, ConnectionError):
    """The OpenID provider does not answer as it should."""

    status = 502


@dataclass(frozen=True)
class _Away:
    """Somebody who is at the provider: what they have to come back with."""

    until: float
    nonce: str
    verifier: str
    browser: str
    to: str


@dataclass(frozen=True)
class Who:
    """Somebody as the provider knows them.

    Parameters
    ----------
    subject : for good; names may change, and others may have them.
    to : where they wanted to go.
    """

    subject: str
    names: tuple[str, ...]
    to: str


@dataclass
class Provider:
    """An OpenID provider.

    Parameters
    ----------
    issuer : its address, which its tokens name.
    client, secret : what we are called there; without a secret a public client.
    """

    issuer: str
    client: str
    secret: str = field(default="", repr=False)
    _away: "OrderedDict[str, _Away]" = field(default_factory=OrderedDict, repr=False)
    _known: dict[str, tuple[float, Any]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def host(self) -> str:
        """Return what it is called in words."""
        return urlsplit(self.issuer).hostname or ""

    def send(self, back: str, to: str) -> tuple[str, str]:
        """Return the address to send somebody to, and a secret that their browser has to bring back.

        Parameters
        ----------
        back : the address of ours to which the provider sends them.
        to : where they wanted to go.

        Raises
        ------
        ProviderError : if the provider does not say where people sign in.
        """
        endpoint = self._about()["authorization_endpoint"]
        state, browser = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        away = _Away(
            time.monotonic() + _AWAY_SECONDS, secrets.token_urlsafe(24), secrets.token_urlsafe(48), browser, to
        )
        with self._lock:
            self._away[state] = away
            while len(self._away) > _MOST_AWAY:
                self._away.popitem(last=False)
        challenge = base64.urlsafe_b64encode(sha256(away.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.client, "redirect_uri": back, "scope": "openid profile email",
            "state": state, "nonce": away.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", browser

    def receive(self, said: Mapping[str, str], browser: str, back: str) -> Who:
        """Return who came back, once.

        Parameters
        ----------
        said : the query with which they came.
        browser : the secret that `send` gave to their browser.
        back : as for `send`.

        Raises
        ------
        TokenError : if they did not leave from here, with this browser; or the provider lets them not in.
        ProviderError : if the provider does not answer.
        """
        with self._lock:
            away = self._away.pop(said.get("state", ""), None)
        if (
            away is None
            or away.until < time.monotonic()
            or not hmac.compare_digest(away.browser.encode(), browser.encode())
        ):
            fix = "sign in again, from Studio's own page"
            raise TokenError("this sign-in was not begun here, or is too old", where="OpenID", fix=fix)
        if "code" not in said:
            raise TokenError("the provider did not let you in", where=self.host, fix="sign in with another account")
        token = str(self._exchange(said["code"], away, back)["id_token"])
        claims = self._checked(token, Expected(self.issuer, self.client, away.nonce))
        names = [str(claims[key]) for key in ("preferred_username", "name", "email") if claims.get(key)]
        return Who(f"{self.issuer} {claims['sub']}", tuple(names), away.to)

    def _checked(self, token: str, expected: Expected) -> dict[str, Any]:
        """Check a token; the provider may have new keys since they were fetched."""
        address = self._about()["jwks_uri"]
        before = self._known.get(address)
        try:
            return check_token(token, self._fetched(address)["keys"], expected)
        except TokenError:
            if before is None:
                raise
            del self._known[address]
            return check_token(token, self._fetched(address)["keys"], expected)

    def _exchange(self, code: str, away: _Away, back: str) -> dict[str, Any]:
        about = self._about()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": away.verifier}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        ways = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self.secret and "client_secret_basic" in ways:
            pair = f"{quote(self.client, '')}:{quote(self.secret, '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.client} | ({"client_secret": self.secret} if self.secret else {})
        return _ask(about["token_endpoint"], urlencode(form).encode(), headers)

    def _about(self) -> dict[str, Any]:
        """Return what the provider says of itself."""
        about = self._fetched(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != self.issuer:
            what = "the provider calls itself by another name"
            raise ProviderError(what, where=self.issuer, fix="set studio.oidc_issuer to exactly what it says")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_safe(str(about.get(name, "")), name)
        return about

    def _fetched(self, address: str) -> dict[str, Any]:
        until, found = self._known.get(address, (0.0, None))
        if until < time.monotonic():
            found = _ask(address, None, {"Accept": "application/json"})
            self._known[address] = (time.monotonic() + _KNOWN_SECONDS, found)
        return dict(found)


def provider_of(settings: StudioSettings) -> Provider | None:
    """Return the provider that is set; None where none is.

    Raises
    ------
    SettingsError : if its address is none, or the file of the secret cannot be read.
    """
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client:
        fix = "set studio.oidc_client to the client_id that the provider gave"
        raise SettingsError("the provider does not know who asks", where="studio.oidc_client", fix=fix)
    try:
        _check_safe(settings.oidc_issuer, "studio.oidc_issuer")
        secret = Path(settings.oidc_secret).read_text("utf-8").strip() if settings.oidc_secret else ""
    except ProviderError as error:
        raise SettingsError(error.what, where=error.where, fix=error.fix) from error
    except (OSError, ValueError) as error:
        what = "the file of the provider's secret cannot be read"
        raise SettingsError(what, where=settings.oidc_secret, fix="check studio.oidc_secret") from error
    return Provider(settings.oidc_issuer, settings.oidc_client, secret)


def _check_safe(address: str, where: str) -> None:
    """Refuse an address where what is said could be read or changed on its way."""
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not is_safe or not parts.hostname:
        raise ProviderError("this is no https:// address", where=where, fix="a provider is reached by https:// only")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A provider answers where it says that it does: what is sent there holds a secret."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _ask(address: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
    _check_safe(address, "OpenID")
    request = urllib.request.Request(address, data=body, headers=dict(headers))
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_WAIT_SECONDS) as reply:
            found = read_json(reply.read(_MOST_BYTES), max_depth=16)
        if not isinstance(found, dict):
            raise ValueError("no object")
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()  # it is the answer too
        reason = str(error) if isinstance(error, OSError) else "its answer cannot be read"  # which may hold a token
        what = f"the OpenID provider does not answer as it should: {reason}"
        fix = "try again; if it stays so, an administrator checks the settings studio.oidc_*"
        raise ProviderError(what, where=urlsplit(address).netloc, fix=fix) from None
    return found
