"""Flink programs of a site. They read rendered files and never import ozone_gen."""
