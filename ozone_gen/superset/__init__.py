"""The assets that Superset imports: databases, datasets, charts and a dashboard, from the plan of a site. Pure."""
