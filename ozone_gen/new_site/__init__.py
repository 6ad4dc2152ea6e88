"""A folder for a new site, or for a repository of sites: questions, the cookiecutter template, and its tables."""
