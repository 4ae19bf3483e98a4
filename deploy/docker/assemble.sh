#!/bin/sh
# assemble.sh PROGRAM FOLDER: puts into FOLDER what PROGRAM needs to run with FOLDER as its root.
set -eu
program=$1 folder=$2

mkdir -p "$folder/etc" "$folder/usr/local/bin"
mkdir -m 1777 "$folder/tmp"
cp "$program" "$folder/usr/local/bin/signalbox"

# Libraries under the names that the program has for them, its loader among them.
libraries=$(ldd "$program" | grep -o '/[^ ]*')
for library in $libraries; do
  mkdir -p "$folder$(dirname "$library")"
  cp -L "$library" "$folder$library"
done

echo 'signalbox:x:65532:65532:::' > "$folder/etc/passwd"
echo 'signalbox:x:65532:' > "$folder/etc/group"
