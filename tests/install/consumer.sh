#!/bin/sh
# Install into an empty folder, then compile, link and run a program through pkg-config: against
# the shared library, and against the static one.
set -eu
build=$1 cmake=$2 cc=$3
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$cmake" --install "$build" --prefix "$folder/usr" >/dev/null
libdir=$(dirname "$(find "$folder/usr" -name libnfsar.so)")
pc() {
    PKG_CONFIG_PATH="$libdir/pkgconfig" pkg-config "$@" nfsar
}

"$cc" -std=c17 -Wall -Wextra -Werror "$here/consumer.c" -o "$folder/shared" \
    $(pc --cflags) $(pc --libs) -lm
LD_LIBRARY_PATH="$libdir" "$folder/shared"

rm "$libdir"/libnfsar.so*
"$cc" -std=c17 "$here/consumer.c" -o "$folder/static" \
    $(pc --cflags) $(pc --static --libs)
"$folder/static"

"$folder/usr/bin/nfsar" --version
foreign=$(nm -g --defined-only "$libdir/libnfsar.a" 2>/dev/null |
    awk 'NF == 3 && $3 !~ /^(\.gomp_critical_user_)?nfsar_/ { print $3 }')
if [ -n "$foreign" ]; then
    echo "the static library defines names of others: $foreign" >&2
    exit 1
fi
