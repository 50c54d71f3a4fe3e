"""The guides: every Markdown page of a checkout, with links that stay inside."""

import re
from pathlib import Path

import pytest
from common.web.guides import GuideNotFoundError, Guides, find_repository, title_of

PNG = b"\x89PNG\r\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "adr").mkdir(parents=True)
    (tmp_path / "projects" / "p1").mkdir(parents=True)
    (tmp_path / "projects" / "p1" / "README.md").write_text("# P1\n\n[up](../../README.md)")
    (tmp_path / "README.md").write_text(
        "# The house\n\n[Start](docs/start.md) [code](src/x.py) [all](docs/adr/) "
        "[P1](projects/p1/README.md)"
    )
    (tmp_path / "docs" / "start.md").write_text(
        "# *First* steps\n\n[why](adr/0001-why.md#context) [home](../README.md) "
        "[out](https://example.org) [gone](missing.md) ![map](map.png) ![no](../secret.png)"
    )
    (tmp_path / "docs" / "adr" / "0001-why.md").write_text("# Why\n\n[back](../start.md)")
    (tmp_path / "docs" / "map.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    return tmp_path


def test_pages_are_read_by_what_they_are_the_readme_first(checkout: Path) -> None:
    (checkout / "docs" / "how-to").mkdir()
    (checkout / "docs" / "how-to" / "deploy.md").write_text("# How to deploy")
    guides = Guides(checkout)
    assert list(guides.titles().items()) == [
        ("readme", "The house"),
        ("how-to/deploy", "How to deploy"),
        ("projects/p1", "P1"),
        ("adr/0001-why", "Why"),
        ("start", "First steps"),
    ]
    shown = re.findall("<h2>(.+?)</h2>", guides.page_html("projects/p1"))
    assert shown == ["Start here", "How to", "The phases", "Decisions", "More"]


def test_the_readme_of_a_project_is_a_guide_and_links_back(checkout: Path) -> None:
    guides = Guides(checkout)
    assert 'href="/guides/projects/p1"' in guides.read("readme").html
    assert 'href="/guides/readme"' in guides.read("projects/p1").html


def test_links_between_guides_lead_to_their_pages_here(checkout: Path) -> None:
    guides = Guides(checkout)
    start = guides.read("start").html
    assert 'href="/guides/adr/0001-why#context"' in start
    assert 'href="/guides/readme"' in start
    assert 'href="https://example.org"' in start
    assert 'src="/guides/map.png"' in start
    assert 'href="/guides/start"' in guides.read("adr/0001-why").html
    assert 'href="/guides/start"' in guides.read("readme").html


def test_a_link_to_what_has_no_page_here_keeps_its_words_and_loses_its_address(
    checkout: Path,
) -> None:
    html = Guides(checkout).read("start").html
    assert "missing.md" not in html
    assert ">gone</a>" in html
    assert "secret.png" not in html


def test_a_link_to_a_folder_leads_to_its_readme(checkout: Path) -> None:
    (checkout / "docs" / "adr" / "README.md").write_text("# Decisions")
    assert 'href="/guides/adr/README"' in Guides(checkout).read("readme").html


def test_only_pictures_below_docs_are_found(checkout: Path) -> None:
    guides = Guides(checkout)
    assert guides.picture("map.png") == checkout / "docs" / "map.png"
    assert guides.picture("../secret.png") is None
    assert guides.picture("start.md") is None


def test_a_wrong_address_names_the_nearest_guide(checkout: Path) -> None:
    with pytest.raises(GuideNotFoundError, match=r"'strt'.*'start'"):
        Guides(checkout).read("strt")


def test_a_guide_page_marks_itself_in_the_list_and_escapes_titles(checkout: Path) -> None:
    (checkout / "docs" / "odd.md").write_text("# A <b> & more")
    page = Guides(checkout).page_html("odd")
    assert '<a href="/guides/odd" aria-current="page">A &lt;b&gt; &amp; more</a>' in page
    assert "<title>A &lt;b&gt; &amp; more · AI Roadmap</title>" in page


def test_without_a_checkout_the_index_says_what_to_do() -> None:
    page = Guides(None).index_html()
    assert "Start it from a checkout" in page
    with pytest.raises(GuideNotFoundError, match="come with the repository"):
        Guides(None).read("start")


def test_this_package_finds_the_checkout_it_runs_from() -> None:
    repository = find_repository()
    assert repository is not None
    assert (repository / "roadmap.toml").is_file()


def test_a_text_without_a_heading_is_still_a_guide() -> None:
    assert title_of("no heading") == "Guide"
