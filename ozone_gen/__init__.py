"""ozone-gen: one ozone.yaml becomes every file of a clinic site's analytics."""

__version__ = "0.1.0"
