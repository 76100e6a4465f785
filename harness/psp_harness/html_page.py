"""A page in Markdown as one HTML file that needs nothing else: no script, no style sheet, no address elsewhere."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

PAINTED: Mapping[str, str] = {"✓": "good", "✗": "bad"}
"""What a cell of a table must say, and nothing else, to be painted: its class in the style below."""

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --quiet: #8881; --good: #1a7f37; --bad: #d1242f; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #ff7b72; } }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 76rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1, h2, h3 { line-height: 1.2; margin: 2.2em 0 .6em; }
h1 { margin-top: 0; }
code { font: .875em ui-monospace, monospace; background: var(--quiet); padding: .1em .3em; border-radius: .25em; }
pre { background: var(--quiet); padding: .9rem 1rem; border-radius: .4rem; overflow-x: auto; }
pre code { background: none; padding: 0; }
table { display: block; overflow-x: auto; border-collapse: collapse; font-size: .9rem; }
th, td { border-bottom: 1px solid var(--line); padding: .45rem .7rem; text-align: left; vertical-align: top; }
td.good { color: var(--good); }
td.bad { color: var(--bad); font-weight: 700; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}</body>
</html>
"""


def as_html(markdown: str) -> str:
    """The page; its title is its first heading."""
    parser = MarkdownIt("commonmark", renderer_cls=_Painter).enable("table")
    tokens = parser.parse(markdown)
    title = next((after.content for token, after in pairwise(tokens) if token.type == "heading_open"), "")
    return _PAGE.format(title=html.escape(title), style=_STYLE, body=parser.renderer.render(tokens, parser.options, {}))


class _Painter(RendererHTML):
    """Gives the cells that say only a sign the class of that sign."""

    def td_open(self, tokens: Sequence[Token], index: int, options: object, env: object) -> str:  # noqa: ARG002
        painted = PAINTED.get(tokens[index + 1].content)
        return f'<td class="{painted}">' if painted else "<td>"
