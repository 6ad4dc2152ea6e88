"""The programs of a rendered site's `setup` image; they know only rendered files, not ozone-gen."""
