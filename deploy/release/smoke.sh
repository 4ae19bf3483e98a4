#!/bin/sh
# Starts an executable of a release: sh smoke.sh FILE. It has to say its version, decide about a request, and answer
# one. For systems that the tests do not run on.
set -eu
program=$1
folder=$(mktemp -d)
"$program" --version

cat >"$folder/fleet.toml" <<'TOML'
[[worker]]
name = "attic"
models = ["llama3.2"]
TOML
"$program" route-test POST /v1/chat/completions --model llama3.2 --fleet "$folder/fleet.toml"

# The shell that starts it makes its file when it comes to that.
: >"$folder/demo.txt"
"$program" demo --listen 127.0.0.1:0 >"$folder/demo.txt" &
demo=$!
trap 'kill "$demo"; rm -r "$folder"' EXIT
tries=0
until grep -q "word by word" "$folder/demo.txt"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ] || ! kill -0 "$demo"; then
    cat "$folder/demo.txt"
    exit 1
  fi
  sleep 0.5
done
cat "$folder/demo.txt"
