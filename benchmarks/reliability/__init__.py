"""What ends runs, done to them for real, and what is left: docs/reliability.md."""
