#!/bin/sh
# Install the system packages that pip cannot: libgomp (the OpenMP runtime that LightGBM loads); with the word "test" also
# PostgreSQL and MariaDB servers, which a test starts on ports of its own, and Chromium, in which Studio is opened.
# Without the rights to do so it says what is missing and goes on: the tests then show what does not work.
set -eu

has_library() {
  ldconfig -p 2>/dev/null | grep -q "$1" || ls /usr/lib/*/"$1"* /usr/lib/"$1"* >/dev/null 2>&1
}

missing=""
has_library libgomp.so.1 || missing="$missing libgomp1"
if [ "${1:-}" = test ] && [ "$(uname)" = Linux ]; then
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
  command -v chromium >/dev/null || missing="$missing chromium"
  command -v mariadb-install-db >/dev/null || missing="$missing mariadb-server"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing && exit 0
fi
echo "==========================================================================" >&2
echo "MISSING system packages:$missing" >&2
echo "  fix: as root, apt-get install$missing   (other systems: the like)" >&2
echo "==========================================================================" >&2
