"""What OpenMRS is: its tables and columns, its dictionary, demo data and dumps."""
