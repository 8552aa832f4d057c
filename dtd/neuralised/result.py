"""A model that was written as layers."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from dtd.callers.printing import listed
from dtd.errors import InputError
from dtd.neuralised.columns import Columns


class Neuralised(nn.Module):
    """A fitted estimator as a torch module that computes its own score; made by :func:`dtd.neuralise`.

    # shape: (B, M) -> (B, K), double precision

    ``score`` says what is computed, ``outputs`` what each output is of, ``features`` the M inputs and ``columns`` the raw
    columns that they come from. :meth:`encode` turns raw data into inputs (one-hot categories, filled in values);
    :meth:`by_column` brings relevance back to the raw columns, and :meth:`target` is the number of an output.

    A line through ``(0, 1)`` and ``(1, 3)`` is ``y = 2 x + 1``, which is 7 at ``x = 3``:

    >>> import numpy as np, dtd
    >>> from sklearn.linear_model import LinearRegression
    >>> model = dtd.neuralise(LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([1.0, 3.0])))
    >>> model(model.encode([[3.0]])).round(decimals=9).tolist()
    [[7.0]]
    """

    def __init__(self, body: nn.Module, estimator: str, score: str, outputs: Sequence[str], encoding: Columns):
        super().__init__()
        self.body, self.estimator, self.score = body, estimator, score
        self.outputs, self.encoding = tuple(outputs), encoding
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        own = next((each.dtype for each in chain(self.parameters(), self.buffers()) if each.is_floating_point()), x.dtype)
        if x.dtype != own:
            raise InputError(f"The model computes in {own}; found rows of {x.dtype}. Use the rows of encode(data).")
        return self.body(x)

    def __repr__(self) -> str:
        outputs = listed([repr(name) for name in self.outputs], "[]")
        columns = listed([repr(name) for name in self.columns], "[]")
        return f"Neuralised({self.estimator}: {self.score}; outputs {outputs}; columns {columns})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the raw columns."""
        return self.encoding.columns

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the module's inputs: columns, and a column's categories one by one."""
        return self.encoding.names

    def encode(self, data: Any) -> Tensor:
        """Raw rows, a data frame or an array, as the module's input. # shape: (B, columns) -> (B, M)

        Raises :class:`InputError` for sparse data, another number of columns, and NaN where nothing fills it in.
        """
        if is_sparse(data):
            raise InputError("Sparse data are not explained: give dense rows, such as X.toarray().")
        if isinstance(data, pd.DataFrame):
            named = set(self.columns) <= set(map(str, data.columns))
            frame = data.set_axis(list(map(str, data.columns)), axis=1)
            frame = frame[list(self.columns)] if named else frame
        else:
            found = np.asarray(data.detach().cpu() if isinstance(data, Tensor) else data)
            if found.ndim != 2:
                raise InputError(f"Data must be rows and columns; found shape {found.shape}.")
            frame = pd.DataFrame(found)
        if frame.shape[1] != len(self.columns):
            raise InputError(f"The estimator was fitted on {len(self.columns)} columns; found {frame.shape[1]}.")
        try:
            values = np.asarray(self.encoding.encode(frame.set_axis(list(self.columns), axis=1)), dtype=np.float64)
        except ValueError as error:
            raise InputError(f"These rows cannot be encoded as the estimator's columns: {error}") from error
        wrong = [name for k, name in enumerate(self.features) if not np.isfinite(values[:, k]).all()]
        if wrong:
            raise InputError(
                f"NaN or infinity in {listed(list(map(repr, wrong)), '[]')}: fit a pipeline that starts with a "
                "SimpleImputer, or fill these in."
            )
        return torch.tensor(values)

    def by_column(self, relevance: Tensor) -> pd.DataFrame:
        """Relevance of the raw columns by name: that of a column's categories is summed. # shape: (B, M) -> (B, columns)"""
        if relevance.ndim != 2 or relevance.shape[1] != len(self.features):
            raise InputError(f"Relevance must have shape (B, {len(self.features)}); found {tuple(relevance.shape)}.")
        owners = torch.tensor(self.encoding.owners, device=relevance.device)
        summed = relevance.new_zeros(len(relevance), len(self.columns)).index_add(1, owners, relevance)
        return pd.DataFrame(summed.detach().cpu().numpy(), columns=list(self.columns))

    def target(self, output: Any) -> int:
        """The number of an output, for :func:`dtd.explain`; raises :class:`InputError` for one that does not exist."""
        if str(output) not in self.outputs:
            raise InputError(f"No output of {output!r}; there are {listed([repr(o) for o in self.outputs], '[]')}.")
        return self.outputs.index(str(output))


def is_sparse(data: Any) -> bool:
    """Whether rows are stored without their zeros: by scipy, by torch, or in any column of a data frame."""
    if isinstance(data, pd.DataFrame):
        return any(isinstance(dtype, pd.SparseDtype) for dtype in data.dtypes)
    return hasattr(data, "toarray") or (isinstance(data, Tensor) and data.layout != torch.strided)
