"""The site builds without a warning, its links lead somewhere, and it asks nothing of the network."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.docs.markdown import PAGES, ROOT, prose

LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")


class Page(HTMLParser):
    """What a page of the site leads to, loads, and can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag's attributes."""
        said = {name: value or "" for name, value in attrs}
        self.ids |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag in ("script", "img", "iframe", "link") and said.get("rel") not in ("canonical", "search"):
            self.loads += [said[name] for name in ("src", "href") if name in said]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the site."""
    if sys.version_info < (3, 11):
        pytest.skip("the site's tools need Python 3.11")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-d", str(folder / "doctrees")]
    done = subprocess.run([*command, "-c", "docs", ".", str(folder / "html")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def site(built):
    """The pages of the site by their files."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in built.rglob("*.html")}


def test_links_lead_to_pages_and_places_that_are_there(site):
    dead = []
    for path, page in site.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or not (parts.path or parts.fragment):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target in site and (not parts.fragment or unquote(parts.fragment) in site[target].ids)
            if not there and not (target.is_file() and target not in site):
                dead.append(f"{path.name}: {link}")
    assert dead == []


def test_nothing_is_loaded_from_the_network(built, site):
    elsewhere = {load for page in site.values() for load in page.loads if urlsplit(load).netloc}
    elsewhere |= {
        found for style in built.rglob("*.css") for found in re.findall(r"url\(\W?(https?://[^)]+)", style.read_text())
    }
    assert elsewhere == set()


def test_pictures_are_there(site):
    paths = {path.parent / urlsplit(load).path for path, page in site.items() for load in page.loads if load[:1] != "#"}
    assert [path for path in paths if not path.is_file()] == []


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    given: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        number = 1
        while (name := plain if number == 1 else f"{plain}-{number - 1}") in given:
            number += 1
        given.add(name)
    return given


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere_on_github_too(page):
    dead = []
    for link in LINK.findall(prose(page)):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        places = anchors(target) if target.suffix == ".md" and target.exists() else {parts.fragment}
        if not target.exists() or (parts.fragment and parts.fragment not in places):
            dead.append(link)
    assert dead == []
