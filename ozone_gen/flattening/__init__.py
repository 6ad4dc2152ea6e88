"""The relational plan of a flattened table, and what is made of it: Flink SQL and PostgreSQL tables."""
