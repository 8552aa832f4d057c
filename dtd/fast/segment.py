"""One step of a prepared pass in its place, and consecutive ones after their forward sweep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from dtd.fast.step import Step
from dtd.propagation import Layer
from dtd.relevance.passage import Watch


@dataclass(frozen=True, eq=False)
class Stage:
    """One step and where its values come from and go to."""

    step: Step
    inputs: tuple[int, ...]
    output: int
    size: int  # numbers that one sample's output has
    drop: tuple[int, ...]  # values that nobody needs after it
    layer: int  # the lowest layer that the step stands for; above it the output's, where that was merged into it
    arriving: bool  # coefficients arrive
    to_relevance: bool  # coefficients arrive that the step cannot take
    lower_to_relevance: tuple[bool, ...]  # for each input: coefficients go where others hand relevance
    remake: Callable[[Sequence[Layer]], Step] | None = None  # the step on layers with other side values, where it has some

    @property
    def positions(self) -> tuple[int, ...]:
        """The layers that the step stands for, highest first: the relevance of their outputs is the same."""
        return (self.output,) if self.layer == self.output else (self.output, self.layer)


class Segment(NamedTuple):
    """Some consecutive stages after their forward sweep, on some samples."""

    stages: tuple[Stage, ...]
    saved: list
    kept: dict[int, Tensor]  # values that turn coefficients into relevance

    def descend(self, pending: dict[int, Tensor], release: bool, watch: Watch | None = None) -> None:
        """Hand the relevance ``pending`` at values down to those below the stages."""
        for number in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[number]
            relevance = pending.pop(stage.output)
            if watch is not None:
                relevance = self.arrive(stage, relevance, watch)
            if stage.to_relevance:
                relevance = relevance * self.kept[stage.output]
            lower = stage.step.down(self.saved[number], relevance)
            del relevance
            if watch is not None and stage.layer in watch.passage.read:
                parts, handed = zip(stage.inputs, lower, strict=True), stage.step.hands_coefficients
                watch.inputs[stage.layer] = tuple(p * self.kept[j] if handed else p.clone() for j, p in parts)
            if release:
                self.saved[number] = None
            for j, to_relevance, part in zip(stage.inputs, stage.lower_to_relevance, lower, strict=True):
                part = part * self.kept[j] if to_relevance else part
                pending[j] = pending[j] + part if j in pending else part

    def arrive(self, stage: Stage, relevance: Tensor, watch: Watch) -> Tensor:
        """What goes on of the relevance of a stage's output, or of its coefficients, through all its layers."""
        value: Any = self.kept.get(stage.output)
        for position in stage.positions:
            relevance = watch.arrive(position, relevance, value, stage.arriving)
            if position != stage.layer and position in watch.passage.read:
                watch.inputs[position] = (relevance * value if stage.arriving else relevance.clone(),)
        return relevance
