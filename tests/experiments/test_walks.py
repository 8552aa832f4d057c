"""The question ``walks``: planted graphs, connected sets, rows against enumeration by hand, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.questions import walks
from experiments.questions.walks.graphs import MOTIF, connected_sets, generated

TINY = ("question=walks", "question.graphs=40", "question.base=6", "question.epochs=80", "question.hidden=8")
SMALL = ("question.explained=3", "question.sets=7", "question.shown=1", "question.rounds=2", "plan=epsilon")


def test_graphs_have_their_motif_and_as_many_edges():
    graphs = generated(20, 8, seed=3)
    assert torch.equal(graphs.edges, graphs.edges.transpose(1, 2)) and (graphs.edges.diagonal(dim1=1, dim2=2) == 1).all()
    assert len(set(graphs.edges.sum((1, 2)).tolist())) == 1 and graphs.y.sum() == 10
    inside = graphs.edges[:, -MOTIF:, -MOTIF:].sum((1, 2))
    assert (inside == torch.where(graphs.y == 1, MOTIF + 12, MOTIF + 10)).all()
    assert (graphs.edges[:, :-MOTIF, -MOTIF:].sum((1, 2)) == 1).all()
    reached = torch.linalg.matrix_power(graphs.edges, 13)
    assert (reached > 0).all()  # connected
    assert torch.equal(graphs.edges, generated(20, 8, seed=3).edges)
    assert not torch.equal(graphs.edges, generated(20, 8, seed=4).edges)


def test_sets_are_connected():
    edges = generated(1, 8, seed=0).edges[0]
    sets = connected_sets(edges, MOTIF, 30, np.random.default_rng(0))
    assert (sets.sum(1) == MOTIF).all() and len({tuple(s) for s in sets.tolist()}) > 5
    for each in sets:
        within = edges[each][:, each]
        assert (torch.linalg.matrix_power(within, MOTIF) > 0).all()


def test_rows_say_what_walks_say(composed):
    config = typed(composed(*TINY, *SMALL))
    walks.QUESTION.check(config)
    tables = dict(walks.QUESTION.tables(config))
    rows, steps = tables["rows"], tables["walks"]
    assert (rows.gap.abs() < 1e-9).all() and (rows.rest.abs() < 1e-9).all() and not walks.QUESTION.problems(tables)
    assert rows[["set_rank", "node_rank", "walks_inside", "best_set"]].stack().between(0, 1).all()
    edges = generated(12, 6, seed=1).edges[int(rows.graph.iloc[0])]
    by_walk = steps[steps.graph == rows.graph.iloc[0]].groupby("walk").node.agg(list)
    assert all(len(walk) == 3 and all(edges[a, b] for a, b in pairwise(walk)) for walk in by_walk)
    count = int((torch.linalg.matrix_power(edges, 2)).sum())
    assert rows.walks.iloc[0] == count
    assert len(walks.QUESTION.problems({**tables, "rows": rows.assign(gap=1e-3)})) == len(rows)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.graphs=1", "'question.graphs' must be at least 2"),
        ("question.base=2", "'question.base' must be at least 3"),
        ("question.rounds=0", "'question.rounds' must be at least 1"),
        ("dtype=float32", "'dtype' must be float64"),
    ],
)
def test_what_does_not_fit_is_refused(composed, override, message):
    with pytest.raises(ConfigError, match=message):
        walks.QUESTION.check(typed(composed(*TINY, *SMALL, override)))
