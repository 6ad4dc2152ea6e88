#!/bin/bash
# Runs once, when the database is new: the user under which the connector reads.
escaped() { printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/\\\\'/g"; }
MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -u root <<SQL
CREATE USER IF NOT EXISTS '$(escaped "$OZONE_USERNAME")'@'%' IDENTIFIED BY '$(escaped "$OZONE_PASSWORD")';
GRANT SELECT ON \`openmrs\`.* TO '$(escaped "$OZONE_USERNAME")'@'%';
GRANT RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '$(escaped "$OZONE_USERNAME")'@'%';
SQL
