"""Copy a page's folder to Cloudflare Pages unless `--platform` names another static host, whose deployer is in `platforms/`."""

from flyweight.toolkit.targets.browser.platforms.pages import DEPLOYER

__all__ = ["DEPLOYER"]
