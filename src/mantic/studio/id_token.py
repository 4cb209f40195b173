"""What an OpenID provider says of somebody: a token, believed only after every check.

Source: OpenID Connect Core 1.0, section 3.1.3.7.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mantic.core.errors import ManticError
from mantic.core.strict_json import read_json

_SLACK_SECONDS = 60.0  # by which two clocks may differ
_MOST = 20_000  # characters of a token
_MOST_SUBJECT = 255


class TokenError(ManticError, PermissionError):
    """What the provider said cannot be believed."""

    status = 403


@dataclass(frozen=True)
class Expected:
    """What a token has to say to be the one that was asked for."""

    issuer: str
    client: str
    nonce: str


def check_token(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected) -> dict[str, Any]:
    """Return what a token says.

    Parameters
    ----------
    keys : of the provider, as JSON Web Keys.

    Raises
    ------
    TokenError : if it is no token, none of the keys has signed it, or its issuer, client, nonce or time is another.
    """
    try:
        head, body, signature = token[:_MOST].split(".")
        about, claims = (read_json(_bytes(part), max_depth=8) for part in (head, body))
        _check_signature(about, keys, f"{head}.{body}".encode(), _bytes(signature))
        _check_claims(claims, expected)
    except TokenError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise _refused("it is no token") from error
    return dict(claims)


def _check_signature(
    about: Mapping[str, Any], keys: Sequence[Mapping[str, Any]], text: bytes, signature: bytes
) -> None:
    """Check by the key that the token names. The way is ours to allow: never "none", never a shared secret."""
    verify = _WAYS.get(about["alg"])
    if verify is None:
        raise _refused(f"it is signed by '{str(about['alg'])[:20]}'")
    fitting = [
        key
        for key in keys
        if key.get("kty") == _KINDS[about["alg"]]
        and key.get("use", "sig") == "sig"
        and ("kid" not in about or key.get("kid") == about["kid"])
    ]
    if not any(verify(key, text, signature) for key in fitting):
        raise _refused("its signature is not the provider's")


def _check_claims(claims: Mapping[str, Any], expected: Expected) -> None:
    now = time.time()
    audience = [claims["aud"]] if isinstance(claims["aud"], str) else list(claims["aud"])
    faults = {
        "it comes from somebody else": claims["iss"] != expected.issuer,
        "it is meant for somebody else": expected.client not in audience
        or (len(audience) > 1 and claims.get("azp") != expected.client),
        "its time is over": not now < float(claims["exp"]) + _SLACK_SECONDS,
        "its time has not come": float(claims["iat"]) > now + _SLACK_SECONDS,
        "it belongs to another sign-in": not hmac.compare_digest(
            str(claims["nonce"]).encode(), expected.nonce.encode()
        ),
        "it says nobody": not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _MOST_SUBJECT,
    }
    if found := [what for what, is_so in faults.items() if is_so]:
        raise _refused("; ".join(found))


def _by_rsa(key: Mapping[str, Any], text: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    numbers = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"]))
    if numbers.n.bit_length() < 2048:
        return False
    try:
        numbers.public_key().verify(signature, text, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _by_curve(key: Mapping[str, Any], text: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    if key.get("crv") != "P-256" or len(signature) != 64:
        return False
    numbers = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1())
    halves = (int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    try:
        numbers.public_key().verify(utils.encode_dss_signature(*halves), text, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


_WAYS: Mapping[Any, Callable[[Mapping[str, Any], bytes, bytes], bool]] = {"RS256": _by_rsa, "ES256": _by_curve}
_KINDS = {"RS256": "RSA", "ES256": "EC"}


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _refused(why: str) -> TokenError:
    return TokenError(
        f"the provider's word cannot be believed: {why}",
        where="OpenID",
        fix="sign in again; if it stays so, an administrator checks the settings studio.oidc_*",
    )
