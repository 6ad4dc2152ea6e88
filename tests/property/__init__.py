"""Random declarations under random histories: what a stream makes of them equals what the final rows say."""
