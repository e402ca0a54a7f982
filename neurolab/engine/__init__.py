"""A structure becomes a compiled program; numbers are its arguments."""
