"""``python -m neurolab``."""

import gc

from neurolab.cli.ending import Ending


def main() -> None:
    """The command, which signals may end while it is still being imported."""
    # Looking for garbage takes an eighth of a short run while it imports, and as long when it ends.
    gc.set_threshold(200_000, 10, 10)
    try:
        with Ending() as ending:
            from neurolab.cli.main import main

            main(ending.leases)
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
