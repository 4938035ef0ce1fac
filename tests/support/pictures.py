"""Take the pictures of README and handbook from the running product: `make pictures`.

The desk holds the made-up data of `lead-service demo`. Pictures are sharp on a phone's screen, and
WebP keeps them small.
"""

import io
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import tools, whole_site
from tests.support.browser.product import HOST, HOST_ZONE, Product
from tests.support.processes import PROGRAM, ROOT

FOLDER = ROOT / "handbook" / "pictures"
PHONE, SCREEN = (390, 780), (1280, 800)  # CSS pixels
QUALITY = 70
ARTICLE = "/insights/why-most-ai-pilots-never-scale/"


class Picture(NamedTuple):
    """One picture; `opens` is a link to follow on the page at `address`."""

    name: str
    address: str
    window: tuple[int, int]
    opens: str = ""


OF_VISITORS = (
    Picture("article", ARTICLE, PHONE),
    Picture("result", "/assessment/example/", PHONE),
)
OF_THE_DESK = (
    Picture("inbox", "/desk/", SCREEN),
    Picture("lead", "/desk/", SCREEN, opens=".desk-what a"),
    Picture("calls", "/desk/calls/", SCREEN),
    Picture("availability", "/desk/availability/", SCREEN),
)


def take(page: Page, picture: Picture) -> None:
    """Open a picture's page, and write the picture."""
    width, height = picture.window
    page.set_viewport_size({"width": width, "height": height})
    page.goto(picture.address)
    if picture.opens:
        page.locator(picture.opens).first.click()
    page.wait_for_load_state("networkidle")
    shown = Image.open(io.BytesIO(page.screenshot()))
    shown.save(FOLDER / f"{picture.name}.webp", quality=QUALITY, method=6)
    print(f"{picture.name}.webp  {(FOLDER / f'{picture.name}.webp').stat().st_size / 1000:.0f} kB")


def take_all(browser: Browser, product: Product) -> None:
    """Take the pictures of visitors' pages, then those of the desk."""
    for pictures, sharpness in ((OF_VISITORS, 2), (OF_THE_DESK, 1.5)):
        context = browser.new_context(
            base_url=product.url, device_scale_factor=sharpness, timezone_id=HOST_ZONE
        )
        page = context.new_page()
        if pictures is OF_THE_DESK:
            page.goto(product.sign_in_link(HOST))
            page.get_by_role("main").get_by_role("button").first.click()
            page.wait_for_url("**/desk/")
        for picture in pictures:
            take(page, picture)
        context.close()


def main() -> None:
    """Build the site, serve it with made-up data, and write every picture."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        site = Path(name, "site")
        whole_site.build(site)
        product = Product(site, Path(name))
        try:
            subprocess.run([*PROGRAM, "demo"], env=product.environment, cwd=name, check=True)
            browser = playwright.chromium.launch(executable_path=tools.chromium(), args=tools.QUIET)
            take_all(browser, product)
            browser.close()
        finally:
            product.stop()


if __name__ == "__main__":
    main()
