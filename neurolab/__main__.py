"""``python -m neurolab``."""

from neurolab.cli.main import main

if __name__ == "__main__":
    main()
