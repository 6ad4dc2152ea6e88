#!/bin/bash
# Stand-in for the official entrypoint: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (or *_FILE), POSTGRES_INITDB_ARGS,
# then /docker-entrypoint-initdb.d/*.{sh,sql,sql.gz} against a server that listens on its socket only.
set -eo pipefail
shopt -s nullglob
[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"
for argument; do case $argument in --version|-V|--help|-\?) exec "$@" ;; esac; done

for variable in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB; do
  file=${variable}_FILE
  [ -z "${!file}" ] || export "$variable=$(<"${!file}")"
done
export POSTGRES_USER=${POSTGRES_USER:-postgres}
export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi

sql() { psql -q -v ON_ERROR_STOP=1 --no-psqlrc -h /var/run/postgresql -U "$POSTGRES_USER" "$@"; }
init() {
  local auth=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  [ -n "$POSTGRES_PASSWORD" ] || [ "$auth" = trust ] || { echo "POSTGRES_PASSWORD is not set" >&2; exit 1; }
  # shellcheck disable=SC2086  # POSTGRES_INITDB_ARGS is a list of words
  initdb -U "$POSTGRES_USER" -E UTF8 --locale=C.UTF-8 --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-none}") \
    --auth=trust $POSTGRES_INITDB_ARGS >/dev/null
  printf '\nhost all all all %s\n' "$auth" >>"$PGDATA/pg_hba.conf"
  pg_ctl -w -o "-c listen_addresses='' -c unix_socket_directories=/var/run/postgresql" start >/dev/null
  [ "$POSTGRES_DB" = postgres ] || sql -d postgres -v name="$POSTGRES_DB" <<<'CREATE DATABASE :"name";'
  export PGHOST=/var/run/postgresql
  for file in /docker-entrypoint-initdb.d/*; do
    echo "init: $file"
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) sql -d "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) zcat "$file" | sql -d "$POSTGRES_DB" ;;
    esac
  done
  unset PGHOST
  pg_ctl -w -m fast stop >/dev/null
}

[ -s "$PGDATA/PG_VERSION" ] || init
shift
exec postgres -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "$@"
