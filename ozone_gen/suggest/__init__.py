"""Tables for ozone.yaml, suggested from what a database holds."""
