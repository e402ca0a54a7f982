"""``python -m neurolab``."""

from neurolab.cli import main

if __name__ == "__main__":
    main()
