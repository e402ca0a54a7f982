"""Arrays of results as xarray has them: read when they are used, and checked then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurolab.results.damage import DamagedError
from neurolab.results.stored import whole

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["lazy", "unreadable"]


def lazy(group: Any, name: str, dims: Sequence[str]) -> xr.Variable:
    """A stored array as a variable, whose values stay once they were read; a `DamagedError` tells
    then if they are not what was written."""
    import xarray as xr
    from xarray.core import indexing

    values: Any = indexing.MemoryCachedArray(indexing.LazilyIndexedArray(_stored(group, name)))
    return xr.Variable(dims, indexing.CopyOnWriteArray(values), dict(group[name].attrs))


def unreadable(error: DamagedError, dims: Sequence[str], shape: Sequence[int]) -> xr.Variable:
    """A variable whose values raise what is wrong with them, beside others that can be read."""
    import xarray as xr
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Unreadable(BackendArray):
        dtype = np.dtype(object)  # as nothing is known of it

        def __init__(self) -> None:
            self.shape = tuple(shape)

        def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
            raise error

    return xr.Variable(dims, indexing.LazilyIndexedArray(Unreadable()))


def _stored(group: Any, name: str) -> Any:
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Stored(BackendArray):
        shape, dtype = group[name].shape, group[name].dtype

        def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
            supported = indexing.IndexingSupport.OUTER
            return indexing.explicit_indexing_adapter(key, self.shape, supported, self.read)

        def read(self, where: tuple[Any, ...]) -> np.ndarray:
            return whole(group, name, *where)

        def __reduce__(self) -> Any:  # for processes that are given a dataset
            return _stored, (group, name)

    return Stored()
