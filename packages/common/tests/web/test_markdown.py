"""Markdown from strangers: readable, linkable, harmless."""

import re

import pytest
from common.web import render_markdown
from common.web.markdown import heading_slug
from hypothesis import given
from hypothesis import strategies as st

ATTACKS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    '<a href="javascript:alert(1)">click</a>',
    "<iframe src='/'></iframe>",
    "<svg onload=alert(1)></svg>",
    '<p style="background:url(//evil)">x</p>',
    '<form action="/api/progress"><button>x</button></form>',
    "![x](data:text/html;base64,PHNjcmlwdD4=)",
]
DANGER = re.compile(
    r"<\s*(script|iframe|svg|form|style|object)|<[^>]*\s(on\w+|style)\s*=|"
    r"<[^>]*=\s*[\"']?\s*(javascript|data):",
    re.IGNORECASE,
)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_could_run_is_removed(text: str) -> None:
    assert not DANGER.search(render_markdown(f"before {text} after\n\n{text}"))


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*ATTACKS, "**", "`", "\n\n", "<", ">", "# ", "[", "](", '"']),
            st.text(max_size=8),
        ),
        max_size=12,
    ).map("".join)
)
def test_no_mixture_of_markdown_and_attacks_gets_through(text: str) -> None:
    assert not DANGER.search(render_markdown(text))


def test_tables_code_and_lists_survive() -> None:
    html = render_markdown(
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n\n- one\n- two"
    )
    assert "<td>1</td>" in html
    assert '<code class="language-python">' in html
    assert html.count("<li>") == 2


def test_headings_get_the_anchors_that_github_gives_and_no_anchor_twice() -> None:
    html = render_markdown("# What's new?\n\n## Set up\n\n## Set up\n\n### `uv run` *now*")
    assert re.findall(r'id="([^"]+)"', html) == ["whats-new", "set-up", "set-up-1", "uv-run-now"]


@given(st.text(max_size=30))
def test_an_anchor_needs_no_escaping(title: str) -> None:
    assert not set(heading_slug(title)) & set(" <>\"'&#/?")


def test_a_link_rule_redirects_links_and_pictures_or_drops_their_address() -> None:
    def rule(href: str) -> str | None:
        return {"a.md": "/guides/a", "p.png": "/guides/p.png"}.get(href)

    html = render_markdown("[a](a.md) [b](b.md) ![p](p.png)", link=rule)
    assert 'href="/guides/a"' in html
    assert "b.md" not in html
    assert ">b</a>" in html
    assert 'src="/guides/p.png"' in html
