#!/bin/sh
# Stand-in for the official entrypoint: options or a configuration file alone mean redis-server, which runs as `redis`.
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ]; then
  # As the official image is built: without a password it answers other containers all the same.
  case " $* " in *.conf*) ;; *) set -- "$@" --protected-mode no ;; esac
  if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"; fi
fi
exec "$@"
