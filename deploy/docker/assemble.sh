#!/bin/sh
# assemble.sh PROGRAM LICENSES FOLDER: puts into FOLDER what PROGRAM needs to run with FOLDER as its root, and the
# licenses of all that.
set -eu
program=$1 licenses=$2 folder=$3

mkdir -p "$folder/etc" "$folder/usr/local/bin" "$folder/usr/share/doc/signalbox" "$folder/usr/share/doc/libc6"
mkdir -m 1777 "$folder/tmp"
cp "$program" "$folder/usr/local/bin/signalbox"

# Libraries under the names that the program has for them, its loader among them.
libraries=$(ldd "$program" | grep -o '/[^ ]*')
for library in $libraries; do
  mkdir -p "$folder$(dirname "$library")"
  cp -L "$library" "$folder$library"
done

cp "$licenses" "$folder/usr/share/doc/signalbox/licenses.txt"
# Of the C library, where Debian keeps it.
cp /usr/share/doc/libc6/copyright "$folder/usr/share/doc/libc6/"

echo 'signalbox:x:65532:65532:::' > "$folder/etc/passwd"
echo 'signalbox:x:65532:' > "$folder/etc/group"
