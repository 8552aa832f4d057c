"""Texts in colour: nothing is lost or misread on the way into a terminal, HTML or LaTeX."""

import shutil
import subprocess
from html.parser import HTMLParser

import pandas as pd
import pytest
from rich.text import Text

from dtd.plot.colours import cells
from dtd.plot.latex import escaped, for_latex
from dtd.plot.words import for_terminal, strongest
from experiments.data.text.words import words
from experiments.figures.movie_reviews import document, latex_name, page
from experiments.figures.names import plain

HARD = r"""<script>alert("&amp;")</script> 100% of $5 & #1_a {b} ~ ^ \o/ 'x' `y` a--b – — … “émouvant” 中文 🙂 null |><"""


def rows(text: str, values=None) -> pd.DataFrame:
    found = list(words(text))
    values = [(-1) ** i * (i + 1) for i in range(len(found))] if values is None else values
    return pd.DataFrame(
        {
            "word": [w.shown for w in found],
            "spaced": [w.spaced for w in found],
            "known": [i % 5 != 0 for i in range(len(found))],
        }
    ).assign(positive=values)


def tables(text: str) -> dict[str, pd.DataFrame]:
    found = rows(text).assign(text=7, plan="zbox", relevance=0.0)
    described = {"text": [7], "truth": [None], "predicted": ["positive"], "probability": [0.75], "words": [len(found)]}
    return {"words": found, "texts": pd.DataFrame({**described, "unknown": [2], "unread": [3]})}


def test_the_terminal_shows_the_text_itself():
    drawn = Text.from_ansi(for_terminal(rows(HARD)))
    assert drawn.plain == HARD
    assert drawn.spans[0].style.underline and not drawn.spans[1].style.underline


def test_colours_are_symmetric_and_end_at_the_largest():
    high, low, none, half = (cell.background for cell in cells(rows("a b c d", [2.0, -2.0, 0.0, 1.0])))
    red, blue = (tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in (high, low))
    assert red[0] > red[2] and blue[2] > blue[0] and none == "#f7f6f6"
    assert half not in (high, none)
    assert {cell.background for cell in cells(rows("a b", [0.0, 0.0]))} == {none}


def test_letters_stand_out_from_every_background():
    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(k * c for k, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for cell in cells(rows(" ".join(["w"] * 201), [i / 100 - 1 for i in range(201)])):
        light, dark = sorted((luminance(cell.background), luminance(cell.letters)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.4


def test_html_holds_the_words_as_text_and_runs_nothing():
    class Reader(HTMLParser):
        inside, found, scripts = False, "", 0

        def handle_starttag(self, tag, attributes):
            self.scripts += tag == "script"
            self.inside = dict(attributes).get("class") == "text" if tag == "p" else self.inside

        def handle_endtag(self, tag):
            self.inside = self.inside and tag != "p"

        def handle_data(self, data):
            self.found += data if self.inside else ""

    html, reader = page(tables(HARD)), Reader()
    reader.feed(html)
    assert reader.found == HARD and reader.scripts == 0
    assert "no class given, predicted positive with probability 0.750" in html and "3 more words not read" in html
    assert "http" not in html and "zᴮ" in html


def test_latex_escapes_what_it_must():
    assert escaped(r"50%_{a}&$#\~^") == r"50\%\_\{a\}\&\$\#\textbackslash{}\textasciitilde{}\textasciicircum{}"
    assert escaped("é中") == "éU+4E2D" and escaped("--") == "{-}{-}"
    assert latex_name("zbox") == r"z$^\mathrm{B}$" and latex_name("a_b") == "a b"
    assert for_latex(rows("good, film", [1.0, 0.0, -1.0])).count("\\word{") == 3


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.slow
def test_the_document_compiles(tmp_path):
    (tmp_path / "words.tex").write_text(document(tables(HARD + " " + "".join(map(chr, range(33, 0x250))))), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "words.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_strongest_words_add_up_their_occurrences():
    found = rows("Good film, good plot; bad bad end", [1.0, 0.5, 0.0, 1.5, 0.2, 0.0, -1.0, -2.0, -0.5])
    assert strongest(found, 2, 1) == [("good", 2.5), ("film", 0.5)]
    assert strongest(found, 10, -1) == [("bad", -3.0), ("end", -0.5)]
    assert strongest(rows("null", [0.0]), 10, 1) == []


def test_names_in_pages_hold_no_markup():
    assert plain("zbox") == "zᴮ" and plain("wsquare_zplus") == "w², z⁺"
