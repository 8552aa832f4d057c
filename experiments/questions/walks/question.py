"""Does relevance of walks find a planted motif? A graph network that tells houses from cycles, explained walk by walk.

Graphs with a house that the network recognises are explained: the log-odds of the house. The motif is held against random
connected sets of as many nodes, once by the relevance of the walks inside a set, once by that of its nodes.
"""

from collections.abc import Iterator, Mapping

import networkx
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dtd.explaining.walks import Walks, walks
from dtd.plans.plan import Plan
from experiments.configs.base import Dtype, require
from experiments.configs.questions.explanations import WalksConfig
from experiments.configs.run import Config
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.summaries import show_summaries
from experiments.figures.walks import walk_figures
from experiments.machine.console import progress
from experiments.measures.pixels import labelled
from experiments.plans import plans
from experiments.questions.base import Question
from experiments.questions.walks.graphs import MOTIF, Graphs, connected_sets, generated
from experiments.questions.walks.network import Trained, trained

HOUSE_CLASS, TOP = 1, 10  # walks that are counted
SUMMARIES = {
    "rows": Summary(
        within=(),
        compared=("plan",),
        measures={
            "conserved": Measure("Σ walks / log-odds", 1.0),
            "set_rank": Measure("motif above sets, by walks", "high"),
            "node_rank": Measure("motif above sets, by nodes", "high"),
            "best_set": Measure("motif in the best set", "high"),
            "walks_inside": Measure("top walks inside", "high"),
            "inside_by_chance": Measure("all walks inside"),
            "nodes_inside": Measure("top nodes inside", "high"),
        },
    )
}


def log_odds(output: Tensor) -> Tensor:
    """What is explained: the house's output minus the cycle's."""
    return output * output.new_tensor([-1.0, 1.0])


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """``rows``: one for each graph and plan; ``nodes``, ``edges`` and ``walks`` of the graphs that are drawn."""
    asked = config.asked(WalksConfig)
    data = [generated(count, asked.base, config.seed + n) for n, count in enumerate((asked.graphs, 4 * asked.explained))]
    found = trained(data[0], data[1], asked.rounds, asked.hidden, asked.epochs, config.seed)
    test = data[1].double()
    yield "network", pd.DataFrame([{"graphs": len(test.y), "accuracy": found.accuracy}])
    right = (found.model(test.x, test.edges).argmax(1) == HOUSE_CLASS) & (test.y == HOUSE_CLASS)
    places = right.nonzero().flatten()[: asked.explained].tolist()
    require(bool(places), "question.epochs", "enough for the network to recognise a house", asked.epochs)
    made = plans(config, found.network, (test.x, test.x))
    parts: dict[str, list[pd.DataFrame]] = {"rows": [], "nodes": [], "edges": [], "walks": []}
    for place in progress(places, "walking"):
        drawn = place in places[: asked.shown]
        for name, table in of_graph(found, test, place, made, asked, config.seed, drawn):
            parts[name].append(labelled(table, graph=place))
    for name, each in parts.items():
        yield name, pd.concat(each, ignore_index=True)


def of_graph(
    found: Trained, test: Graphs, place: int, made: Mapping[str, Plan], asked: WalksConfig, seed: int, drawn: bool
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The parts of each table for one graph."""
    edges = test.edges[place]
    sets = connected_sets(edges, MOTIF, asked.sets, np.random.default_rng((seed, place)))
    for name, plan in made.items():
        inputs = (test.x[place : place + 1], test.edges[place : place + 1])
        asking = walks(found.network, inputs, log_odds, plan, layers=found.layers)
        row, top = measured(asking, edges, sets, asked.lines)
        with torch.no_grad():
            odds = float(log_odds(found.model(*inputs)).sum())
        yield "rows", labelled(pd.DataFrame([{**row, "conserved": row["total"] / odds}]), plan=name)
        if drawn:
            yield "walks", labelled(top, plan=name)
    if drawn:
        yield from layout(edges)


def measured(asking: Walks, edges: Tensor, sets: Tensor, lines: int) -> tuple[dict[str, float], pd.DataFrame]:
    """One row, and the steps of the walks that are drawn.

    ``set_rank`` and ``node_rank``: the share of random sets that have less relevance than the motif, by walks inside the set
    and by nodes (the sum of their relevance). ``best_set``: the share of the motif's nodes in the set with the largest
    relevance of walks, the motif among them. ``walks_inside``: of the ten walks of largest relevance, those wholly inside
    the motif, and ``inside_by_chance`` of all walks. ``nodes_inside``: of the five most relevant nodes. ``gap``: by how
    much message passing differs from the sum over the walks inside the motif, relative to ``Σ |R|``.
    """
    every = asking.every(edges)
    motif = torch.zeros(1, len(edges), dtype=torch.bool)
    motif[:, -MOTIF:] = True
    nodes = torch.zeros(len(edges), dtype=torch.double).index_add(0, every.paths[:, 0], every.relevance)
    sets = sets[(sets != motif).any(1)]  # those that are another set
    by_walks, by_nodes = asking.within(torch.cat([motif, sets])), torch.cat([motif, sets]).double() @ nodes
    inside = motif[0][every.paths].all(1)
    best = every.relevance.topk(min(TOP, len(every.relevance))).indices
    size = float(every.relevance.abs().sum())
    row = {
        "total": float(asking.total),
        "walks": len(every.relevance),
        "rest": every.rest / size,
        "gap": float(by_walks[0] - every.relevance[inside].sum()) / size,
        "set_rank": float((by_walks[1:] < by_walks[0]).double().mean()),
        "node_rank": float((by_nodes[1:] < by_nodes[0]).double().mean()),
        "best_set": float(torch.cat([motif, sets])[by_walks.argmax(), -MOTIF:].double().mean()),
        "walks_inside": float(inside[best].double().mean()),
        "inside_by_chance": float(inside.double().mean()),
        "nodes_inside": float(motif[0][nodes.topk(MOTIF).indices].double().mean()),
    }
    top = every.top(lines)
    paths = enumerate(top.itertuples(index=False))
    steps = [(n, step, node, relevance) for n, (path, relevance) in paths for step, node in enumerate(path)]
    return row, pd.DataFrame(steps, columns=["walk", "step", "node", "relevance"])


def layout(edges: Tensor) -> Iterator[tuple[str, pd.DataFrame]]:
    """Where nodes are drawn, and between which there are lines."""
    graph = networkx.from_numpy_array(edges.numpy() - np.eye(len(edges)))
    positions = networkx.kamada_kawai_layout(graph)
    rows = [(node, *positions[node], node >= len(edges) - MOTIF) for node in graph.nodes]
    yield "nodes", pd.DataFrame(rows, columns=["node", "x", "y", "motif"])
    yield "edges", pd.DataFrame(list(graph.edges), columns=["one", "other"])


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(WalksConfig)
    for name in ("rounds", "hidden", "epochs", "explained", "shown", "sets", "lines"):
        require(getattr(asked, name) >= 1, f"question.{name}", "at least 1", getattr(asked, name))
    require(asked.graphs >= 2, "question.graphs", "at least 2, one of each class", asked.graphs)
    require(asked.base >= 3, "question.base", "at least 3 nodes", asked.base)
    require(config.dtype is Dtype.float64, "dtype", "float64", config.dtype.value)


def problems(tables: Tables) -> list[str]:
    """Graphs on which walks do not add up, or message passing is not the sum over the walks."""
    rows = tables["rows"]
    wrong = rows[(rows.rest.abs() > 1e-9) | (rows.gap.abs() > 1e-9)]
    return [f"graph {r.graph}, {r.plan}: walks miss {r.rest:.2g}, the motif {r.gap:.2g}" for r in wrong.itertuples()]


QUESTION = Question(check, tables, show_summaries(SUMMARIES), walk_figures, problems, summaries=SUMMARIES)
