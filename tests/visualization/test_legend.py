"""Names in a legend are spelled as they are, whatever matplotlib makes of such characters."""

from __future__ import annotations

from mochi_mm.visualization.legend import plain_legend


def test_names_in_a_legend_are_spelled_as_they_are() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    names = ['_hidden', 'lr $0.1$', r'$\frac$']
    figure = Figure(layout='constrained')
    FigureCanvasAgg(figure)
    plain_legend(figure, [Line2D([], [], label=name) for name in names], 2, 8)
    figure.canvas.draw()
    texts = figure.legends[0].get_texts()
    assert [text.get_text() for text in texts] == names
    assert not any(text.get_parse_math() for text in texts)
