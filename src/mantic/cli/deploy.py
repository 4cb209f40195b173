"""mantic models deploy, withdraw, canary: which models answer programs."""

import math
from argparse import ArgumentTypeError, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, tell
from mantic.cli.words import Parser, action
from mantic.core.settings import read_settings
from mantic.store.reference import read_reference

if TYPE_CHECKING:
    from mantic.store.deployments import Change, Deployment

_OFF = 0.0


def actions() -> dict[str, Parser]:
    """Return the parsers."""
    deploy = action(
        "models deploy",
        "let programs ask a model, of every server that runs with --deployed, and of Studio",
        example="mantic models deploy churn\n  mantic models deploy churn/3   (which becomes the champion)",
        do=_deploy,
    )
    deploy.add_argument("model", metavar="MODEL", help="churn, or churn/3")
    withdraw = action(
        "models withdraw", "let programs ask it no more", example="mantic models withdraw churn", do=_away
    )
    withdraw.add_argument("name", metavar="NAME", help="of the model; its versions stay")
    canary = action(
        "models canary",
        "let another version of a deployed model answer a share of the callers, or end that",
        example="mantic models canary churn/4 --share 0.1\n  mantic models canary churn --share off",
        do=_canary,
    )
    canary.add_argument("model", metavar="MODEL", help="churn/4; it becomes the challenger")
    canary.add_argument("--share", type=_share, required=True, metavar="SHARE", help="above 0 and up to 1, or off")
    for one in (deploy, withdraw, canary):
        one.add_json()
    return {"deploy": deploy, "withdraw": withdraw, "canary": canary}


def _deploy(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        return _told(store.deployments.put(options.model), options)


def _away(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        return _told(store.deployments.remove(options.name), options)


def _canary(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        if options.share == _OFF:
            return _told(store.deployments.end_canary(read_reference(options.model).name), options)
        return _told(store.deployments.canary(options.model, options.share), options)


def _share(text: str) -> float:
    """Read a share, or `off`.

    >>> _share("0.1"), _share("off")
    (0.1, 0.0)
    """
    try:
        share = _OFF if text.lower() == "off" else float(text)
    except ValueError:
        share = math.nan
    if not (0 < share <= 1 or text.lower() == "off"):
        raise ArgumentTypeError(f"'{text}' is no share: give a number above 0 and up to 1, as 0.1, or off")
    return share


def _told(change: "Change", options: Namespace) -> int:
    if options.json:
        show_json({"before": asdict(change.before), "after": asdict(change.after)})
    else:
        tell(_sentence(change.after))
    return 0


def _sentence(now: "Deployment") -> str:
    if not now.is_deployed:
        return f"{now.name} is withdrawn: programs that ask it are refused"
    words = f"{now.name}/{now.champion} is deployed"
    if now.canary is None:
        return words
    return f"{words}, {now.name}/{now.canary} answers {100 * now.share:g} % of the callers"
