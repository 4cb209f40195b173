"""Every page of Studio, one file per screen."""

from mantic.studio.pages import assets, bring, data, home, report, signin, try_it, watch
from mantic.studio.route import Page

_SCREENS = (home, bring, data, report, try_it, watch, signin, assets)
PAGES: tuple[Page, ...] = tuple(page for screen in _SCREENS for page in screen.PAGES)
