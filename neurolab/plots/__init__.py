"""Pictures from results."""
