"""Every page of Studio, one file per screen."""

from mantic.studio.pages import (
    assets,
    audit,
    backup,
    bring,
    data,
    home,
    keys,
    openid,
    people,
    signin,
    sources,
    try_it,
    you,
)
from mantic.studio.route import Page

_SETTINGS: tuple[Page, ...] = (*you.PAGES, *people.PAGES, *keys.PAGES, *sources.PAGES, *audit.PAGES, *backup.PAGES)
PAGES: tuple[Page, ...] = (
    *home.PAGES,
    *bring.PAGES,
    *data.PAGES,
    *try_it.PAGES,
    *signin.PAGES,
    *openid.PAGES,
    *_SETTINGS,
    *assets.PAGES,
)
