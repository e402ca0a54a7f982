"""``python -m neurolab``."""

import gc

from neurolab.cli.ending import Ending


def main() -> None:
    """The command, which signals may end while it is still being imported."""
    gc.set_threshold(
        200_000, 10, 10
    )  # looking for garbage in imports took an eighth of a short run
    with Ending() as ending:
        from neurolab.cli.main import main

        main(ending.leases)


if __name__ == "__main__":
    main()
