"""The pages that `mkdocs build` adds to those of docs/: made from models, options and studies."""
