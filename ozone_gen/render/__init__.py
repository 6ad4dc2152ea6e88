"""From decided values to bytes: files and their tree, the one YAML and JSON emitter, and text templates."""
