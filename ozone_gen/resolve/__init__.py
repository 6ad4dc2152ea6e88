"""Look up what an ozone.yaml refers to in the dictionary of its site, and write the lock."""

from ozone_gen.resolve.origins import Origin, steps, vocabulary_from
from ozone_gen.resolve.run import Resolution, resolve, stale_lock
from ozone_gen.resolve.terminal import show_lock

__all__ = ["Origin", "Resolution", "resolve", "show_lock", "stale_lock", "steps", "vocabulary_from"]
