"""Every page of Studio, one file per screen."""

from mantic.studio.pages import assets, bring, data, home, signin, try_it
from mantic.studio.route import Page

PAGES: tuple[Page, ...] = (*home.PAGES, *bring.PAGES, *data.PAGES, *try_it.PAGES, *signin.PAGES, *assets.PAGES)
