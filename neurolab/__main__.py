"""``python -m neurolab``."""

from neurolab.cli.ending import Ending


def main() -> None:
    """The command, which signals may end while it is still being imported."""
    with Ending() as ending:
        from neurolab.cli.main import main

        main(ending.leases)


if __name__ == "__main__":
    main()
