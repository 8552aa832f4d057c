"""Pictures of relevance, read back from the artists: the numbers are the relevance, the scales are symmetric."""

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.image import imread

import dtd
from dtd.plot import Style, styled

X = torch.rand(4, 3, 6, 5, generator=torch.Generator().manual_seed(0))


def explained(x: torch.Tensor = X) -> dtd.Explanation:
    """A small network of images, with a bias that keeps some relevance back."""
    torch.manual_seed(1)
    convolution = torch.nn.Conv2d(x.shape[1], 2, 3)
    model = torch.nn.Sequential(convolution, torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(3))
    model(x)
    return dtd.explain(dtd.trace(model, x), x, 1, dtd.Plan.uniform("epsilon", "neuron", epsilon=1e-3))


def heat(figure) -> list:
    """The images that have a symmetric scale, in order."""
    images = [image for axes in figure.axes for image in axes.images]
    return [image for image in images if image.get_clim()[0] < 0]


def photos(figure) -> list:
    """The images that are inputs."""
    return [image for axes in figure.axes for image in axes.images if image.get_clim()[0] >= 0]


def test_a_batch_is_drawn_with_channels_summed_each_sample_on_its_own_symmetric_scale():
    out = explained()
    figure = out.plot(X, names=list("abcd"))
    expected = out.relevance.sum(1).numpy()
    for image, values in zip(heat(figure), expected, strict=True):
        assert np.allclose(image.get_array(), values)
        low, high = image.get_clim()
        assert low == -high and high == pytest.approx(np.abs(values).max())
    assert [np.allclose(p.get_array(), x.movedim(0, -1)) for p, x in zip(photos(figure), X, strict=True)] == [True] * 4
    texts = [text.get_text() for text in figure.texts]
    assert [t for t in texts if t in "abcd" and t] == list("abcd")
    conserved = [f"{c:.2f}".replace("-", "−") for c in out.conservation().tolist()]
    assert [t for t in texts if t in conserved] == conserved


def test_a_shared_scale_a_number_and_a_level_set_the_ends_of_all_colours():
    out = explained()
    largest = out.relevance.sum(1).abs().max().item()
    assert [image.get_clim()[1] for image in heat(out.plot(scale="shared"))] == pytest.approx([largest] * 4)
    assert {image.get_clim() for image in heat(out.plot(scale=2.0))} == {(-2.0, 2.0)}
    ends = [image.get_clim()[1] for image in heat(out.plot(level=4.0))]
    assert ends == pytest.approx([r.abs().max().item() / 4 for r in out.relevance.sum(1)])
    shared = out.plot(scale="shared").axes[-1]
    assert [tick.get_text() for tick in shared.get_yticklabels()] == [f"−{largest:.2g}", "0", f"{largest:.2g}"]


def test_channels_apart_are_rows_that_share_the_samples_scale():
    out = explained()
    images = heat(out.plot(channels="apart", samples=[2, 0]))
    assert len(images) == 6  # column by column
    for column, sample in enumerate((2, 0)):
        for channel in range(3):
            image = images[3 * column + channel]
            assert np.allclose(image.get_array(), out.relevance[sample, channel])
            assert image.get_clim()[1] == pytest.approx(out.relevance[sample].abs().max().item())


def test_an_overlay_is_the_more_opaque_the_larger_relevance_is():
    out = explained()
    figure = out.plot(X, overlay=True)
    for image, relevance in zip(heat(figure), out.relevance.sum(1), strict=True):
        assert np.allclose(image.get_alpha() ** 2, (relevance.abs() / relevance.abs().max()).numpy(), atol=1e-6)
    assert all(np.allclose(np.ptp(photo.get_array(), axis=-1), 0) for photo in photos(figure))  # in grey
    with pytest.raises(dtd.InputError, match="'picture' must be the inputs, for an overlay"):
        out.plot(overlay=True)


def test_a_network_that_reads_rows_of_pixels_is_drawn_in_their_shape():
    values = torch.arange(-8.0, 8.0).reshape(1, 16)
    (image,) = heat(dtd.plot.heatmaps(values, shape=(1, 4, 4)))
    assert image.get_array().tolist() == values.reshape(4, 4).tolist()
    with pytest.raises(dtd.InputError, match="'shape' must be a shape of 16 entries"):
        dtd.plot.heatmaps(values, shape=(3, 4))


def test_a_grid_has_a_line_for_each_sample_and_a_column_for_each_plan():
    out, again = explained(), explained(X.flip(0))
    figure = dtd.plot.grid({"zbox": out, "mine": again}, X, samples=[1, 3], names=["one", "three"])
    images = heat(figure)
    wanted = [out.relevance[1], again.relevance[1], out.relevance[3], again.relevance[3]]
    assert all(np.allclose(i.get_array(), w.sum(0)) for i, w in zip(images, wanted, strict=True))
    assert [i.get_clim()[1] for i in images] == pytest.approx([w.sum(0).abs().max().item() for w in wanted])
    texts = [text.get_text() for text in figure.texts if text.get_text()]
    assert [t for t in texts if t in (dtd.plot.names.PRINTED["zbox"], "mine")] == [dtd.plot.names.PRINTED["zbox"], "mine"]
    assert [t for t in texts if t in ("one", "three")] == ["one", "three"]
    with pytest.raises(dtd.InputError, match="'outs' must be of the same samples"):
        dtd.plot.grid({"a": out, "b": out.relevance[:2]})


def test_a_file_has_one_pixel_for_each_pixel_in_the_maps_colours(tmp_path):
    relevance = np.array([[[0.0, 1.0], [-2.0, 0.5]], [[4.0, 0.0], [0.0, -1.0]]])
    path = dtd.plot.save(relevance, tmp_path / "x.png", cmap="bwr", level=2)
    found = imread(path)
    assert found.shape == (2, 5, 4)  # two tiles of 2 × 2, a white line between them
    assert (found[:, 2] == 1).all()
    bwr = mpl.colormaps["bwr"]
    for tile, values in zip((found[:, :2], found[:, 3:]), relevance, strict=True):
        expected = bwr(0.5 + 0.5 * np.clip(2 * values / np.abs(values).max(), -1, 1))
        assert np.abs(tile - expected).max() <= 1 / 255
    assert imread(dtd.plot.save(relevance, tmp_path / "y.png", zoom=3, columns=1)).shape == (13, 6, 4)


def test_files_of_channels_apart_have_a_line_for_each_sample(tmp_path):
    assert imread(dtd.plot.save(X, tmp_path / "x.png", channels="apart")).shape == (4 * 6 + 3, 3 * 5 + 2, 4)


def test_bars_are_the_largest_and_the_rest_is_added_up():
    relevance = torch.tensor([[0.5, -3.0, 1.0, 0.25, -0.125]])
    axes = dtd.plot.bars(relevance, 2 * relevance, columns=list("abcde"), most=3).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [-3.0, 1.0, 0.5, 0.125]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["b = −6", "c = 2", "a = 1", "2 others"]
    assert list(axes.get_yticks()) == sorted(axes.get_yticks(), reverse=True)
    assert dtd.plot.bars(relevance, scale=5.0).axes[0].get_xlim() == (-5.0, 5.0)


def test_series_lie_on_strips_of_their_relevance():
    relevance, signal = torch.randn(2, 3, 7), torch.randn(2, 3, 7)
    figure = dtd.plot.series(relevance, signal)
    for i, axes in enumerate(figure.axes):
        strip, sample, channel = axes.images[0], i // 3, i % 3
        assert np.allclose(strip.get_array()[0], relevance[sample, channel])
        assert strip.get_clim()[1] == pytest.approx(relevance[sample].abs().max().item())
        assert np.allclose(axes.lines[0].get_ydata(), signal[sample, channel])
        assert strip.get_extent()[:2] == [-0.5, 6.5]
    (axes,) = dtd.plot.series(relevance[:1], channels="sum").axes
    assert np.allclose(axes.lines[0].get_ydata(), relevance[0].sum(0))


@pytest.mark.parametrize(
    ("shape", "how", "drawn"),
    [
        ((2, 3, 4, 4), {}, "heat"),
        ((2, 3, 9), {}, "series"),
        ((2, 5), {}, "bars"),
        ((2, 16), {"shape": (4, 4)}, "heat"),
        ((2, 100), {"kind": "row"}, "bars"),
        ((2, 3, 9), {"kind": "image"}, "heat"),
    ],
)
def test_the_shape_or_the_caller_says_what_is_drawn(shape, how, drawn):
    x = torch.rand(shape)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(2))
    model(x)
    figure = dtd.explain(dtd.trace(model, x), x, 0, dtd.Plan.uniform("lrp0")).plot(x, **how)
    kinds = {"heat": len(heat(figure)) == 2, "bars": bool(figure.axes[0].patches), "series": bool(figure.axes[0].lines)}
    assert kinds[drawn]


def test_what_cannot_be_drawn_is_refused_in_words():
    out = explained()
    flat = torch.rand(1, 100)
    wide = dtd.explain(dtd.trace(torch.nn.Linear(100, 1), flat), flat, 0, dtd.Plan.uniform("lrp0"))
    with pytest.raises(dtd.InputError, match=r"shape \(100,\) .* does not say what it is.*shape=\(1, 28, 28\)"):
        wide.plot()
    with pytest.raises(dtd.InputError, match="'kind' must be one of image, text, row, series; found 'photo'"):
        out.plot(kind="photo")
    with pytest.raises(dtd.InputError, match="A text needs 'tokens'"):
        out.plot(kind="text")
    with pytest.raises(dtd.InputError, match=r"'picture' must be the 4 inputs as images of 6 × 5 pixels; found .*\(2, 3"):
        out.plot(X[:2])
    with pytest.raises(dtd.InputError, match="'samples' must be numbers of samples from 0 to 3"):
        out.plot(samples=[4])
    with pytest.raises(dtd.InputError, match="'level' must be a positive number; found 0"):
        out.plot(level=0)
    with pytest.raises(dtd.InputError, match="'scale' must be 'each', 'shared' or a positive number; found -1"):
        out.plot(scale=-1)
    with pytest.raises(dtd.InputError, match="at most 64 samples in one figure.*found 65"):
        dtd.plot.heatmaps(torch.ones(65, 2, 2))
    with pytest.raises(dtd.InputError, match="'out' must be finite; found NaN"):
        dtd.plot.heatmaps(torch.full((1, 2, 2), float("nan")))
    with pytest.raises(dtd.InputError, match="'names' must be 4 names; found 1"):
        out.plot(names=["one"])
    with pytest.raises(dtd.InputError, match="a picture of explanations, networks and plans; found float"):
        dtd.plot.draw(1.0)


def test_several_inputs_are_drawn_by_name():
    class Two(torch.nn.Module):
        def forward(self, a, b):
            return a.flatten(1).sum(1, keepdim=True) + 2 * b.flatten(1).sum(1, keepdim=True)

    a, b = torch.rand(1, 2, 4, 4), torch.rand(1, 3)
    out = dtd.explain(dtd.trace(Two(), {"a": a, "b": b}), {"a": a, "b": b}, 0)
    assert [bar.get_width() for bar in out.plot(of="b").axes[0].patches] == pytest.approx(
        sorted((2 * b[0]).tolist(), reverse=True)
    )
    with pytest.raises(dtd.InputError, match="'of' must name one of the explained inputs a, b"):
        out.plot()


def test_a_style_around_it_is_kept_and_a_picture_shows_itself():
    with styled(Style(width=3.35, size=9.0)):
        figure = explained().plot()
    assert figure.get_figwidth() <= 3.35 and figure.texts[0].get_fontsize() == 9.0
    assert explained().plot().texts[0].get_fontsize() == 7.0
    assert explained().plot()._repr_png_().startswith(b"\x89PNG")
