"""checkpoint.npz: all that a computation needs to go on, beside the results that it is of.

It is replaced in one operation, after what it counts was committed.  Each array has a checksum of
its own (of the zip format), which is looked at when it is read.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurolab.results.damage import DamagedError
from neurolab.results.layout import replacing

__all__ = ["CHECKPOINT", "Checkpoint"]

CHECKPOINT = "checkpoint.npz"
FORMAT = "neurolab checkpoint 1"
_ABOUT = "about"


@dataclass(frozen=True)
class Checkpoint:
    """A computation after a step.

    Parameters
    ----------
    step
        How many steps were made.
    arrays
        Variables of the state, and what was counted, by name.
    about
        What else is to be known, as JSON has it.
    """

    step: int
    arrays: Mapping[str, np.ndarray]
    about: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put it in place of the one that is there."""
        names = sorted(self.arrays)
        about = json.dumps({"format": FORMAT, "step": self.step, "arrays": names, **self.about})
        text = np.frombuffer(about.encode(), np.uint8)
        with replacing(folder / CHECKPOINT, synced=True) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_ABOUT: text}, **self.arrays)

    @classmethod
    def read(cls, folder: Path, of: str = "") -> Checkpoint | None:
        """The one in a folder; None if there is none.

        Parameters
        ----------
        of
            What it must be of, as `Commit.of` has it; empty for whatever it is of.

        Raises
        ------
        DamagedError
            It is not as it was written, of another version, or of other results.
        """
        path = folder / CHECKPOINT
        try:
            with np.load(path, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            about = json.loads(arrays.pop(_ABOUT).tobytes())
            if about.pop("format") != FORMAT:
                raise ValueError(f"this version reads {FORMAT}")
            if about.pop("arrays") != sorted(arrays):
                raise ValueError("arrays are missing")
            if of and about.get("of", of) != of:
                raise ValueError("it is of other results than those beside it")
            return cls(int(about.pop("step")), arrays, about)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
            # What NumPy says of what is no file of its own is of pickles.
            why = str(error).rstrip(".") or type(error).__name__
            why = "it is no file of arrays" if "pickle" in why else why
            raise DamagedError(path, why) from error
        except (NotImplementedError, RuntimeError) as error:  # flags of the zip format
            raise DamagedError(path, str(error)) from error
