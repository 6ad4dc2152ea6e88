"""The reference: most of its pages are made of the code."""
