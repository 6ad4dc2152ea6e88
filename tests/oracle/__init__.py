"""Independent batch queries, written by hand in MariaDB's SQL, that say what each flattened table has to hold."""
