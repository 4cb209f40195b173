"""Every page of Studio, one file per screen."""

from mantic.studio.pages import (
    assets,
    audit,
    backup,
    bring,
    data,
    deploy,
    forecast,
    home,
    keys,
    openid,
    people,
    question,
    report,
    signin,
    sources,
    training,
    try_it,
    watch,
    you,
)
from mantic.studio.route import Page

_SETTINGS = (you, people, keys, sources, audit, backup)
_MODEL = (report, try_it, forecast, deploy, watch)
_SCREENS = (home, bring, data, question, training, *_MODEL, signin, openid, *_SETTINGS, assets)
PAGES: tuple[Page, ...] = tuple(page for screen in _SCREENS for page in screen.PAGES)
