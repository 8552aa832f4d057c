"""Grids of heatmaps: every panel is there, on its column's scale, inside the figure, at every width."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from dtd.plot.panels import Block, heatmap_grid
from dtd.plot.style import COLUMN, PAGE, Style, styled
from experiments.figures.typeset import typeset


def blocks(columns: int, picture: bool = True) -> list[Block]:
    rng = np.random.default_rng(0)
    panels = [[rng.normal(size=(4, 4)) * 10**c for c in range(columns)] for _ in range(2)]
    photo = rng.uniform(size=(4, 4, 3)) if picture else None
    notes = {"Σ R / f(x)": [f"{c}.00" for c in range(columns)]}
    return [Block([f"plan {c}" for c in range(columns)], panels, ("derived", "explicit"), photo, "photo", "castle", notes)]


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("columns", [1, 4, 14])
def test_every_panel_is_drawn_on_its_columns_scale_and_nothing_leaves_the_figure(width, columns):
    with styled(Style(width=width)):
        figure = heatmap_grid(blocks(columns))
        figure.canvas.draw()
    images = [image for axes in figure.axes for image in axes.get_images()]
    signed = [image.get_array() for image in images if image.get_array().ndim == 2]
    assert len(signed) == 2 * columns and len(images) == len(signed) + 1
    drawn = [image for image in images if image.get_array().ndim == 2]
    largest = np.array([np.abs(image.get_array()).max() / image.get_clim()[1] for image in drawn])
    assert all(image.get_clim()[0] == -image.get_clim()[1] for image in drawn)
    assert (largest <= 1).all() and (largest == 1).sum() == columns
    assert figure.get_figwidth() == width
    assert all(0 <= edge <= 1 for axes in figure.axes for edge in axes.get_position().extents)
    box = figure.bbox
    for text in figure.texts:
        shown = text.get_window_extent()
        assert box.x0 - 1 <= shown.x0 and shown.x1 <= box.x1 + 1 and box.y0 - 1 <= shown.y0 and shown.y1 <= box.y1 + 1


def test_without_pictures_the_room_goes_to_the_panels_and_an_empty_place_stays_empty():
    block = blocks(3, picture=False)[0]
    block = Block(block.columns, [block.panels[0], [None, *block.panels[1][1:]]], block.rows)
    with styled(Style()):
        figure = heatmap_grid([block])
    assert sum(len(axes.get_images()) for axes in figure.axes) == 5


@pytest.mark.parametrize(("latex", "label"), [(False, r"$\gamma$_1"), (True, r"$\gamma$\_1")])
def test_names_at_an_axis_that_panels_share_are_set_once_and_stay(latex, label):
    figure = Figure()
    for axes in figure.subplots(2, 2, sharey=True).flat:
        axes.set_yticks([0, 1], ["γ_1", "z"])
    typeset(figure, latex)
    for axes in (figure.axes[0], figure.axes[2]):  # the outer ones, which show them
        assert [text.get_text() for text in axes.get_yticklabels()] == [label, "z"]
