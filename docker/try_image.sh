#!/usr/bin/env bash
# Build the image of one project, run it, call it. Needs no Docker engine: with one it is used, without
# one (and as root on Debian) the image is built and run by buildah in a chroot.
#
#   docker/try_image.sh p1_prediction_api   # trains a model here, serves it from the image, predicts
#   docker/try_image.sh p2_nn_service       # serves the model that the image carries, classifies a PNG
#   docker/try_image.sh p0_foundations
#
# Exit code 3: this machine cannot build images at all (no engine; no right to mount; a full disk).
# WORK   where the base image and layers are kept between runs (default: a temporary folder)
set -euo pipefail
cd "$(dirname "$0")/.."
project=${1:?which project? such as p1_prediction_api}
tag=ai-roadmap-${project//_/-}
base=docker.io/library/python:3.11-slim-bookworm
work=${WORK:-$(mktemp -d)}
data=$(mktemp -d)
container=
is_able=false

say() { printf '== %s\n' "$*"; }
die() { printf 'try_image: %s\n' "$*" >&2; exit 1; }

below() { # pid: it and what it started, the innermost first: a chroot passes no signal on
  local one
  for one in $(pgrep -P "$1"); do below "$one"; done
  echo "$1"
}

cleanup() {
  local status=$?
  $is_able || status=3
  [ -z "${service_pid:-}" ] || kill $(below "$service_pid") 2>/dev/null || true
  if [ $status -ne 0 ] && [ -s "$data/log" ]; then tail -n 20 "$data/log" >&2; fi
  if [ -n "$container" ]; then
    if has_engine; then docker rm -f "$container" >/dev/null; else images rm "$container" >/dev/null || true; fi
  fi
  rm -rf "$data"
  [ -n "${WORK:-}" ] || rm -rf "$work"
  exit $status
}
trap cleanup EXIT

has_engine() { docker info >/dev/null 2>&1; }
images() { local verb=$1; shift; buildah --root "$work/root" --runroot "$work/run" --storage-driver vfs "$verb" "$@"; }

make_base() { # a stand-in for the official Python image, from Debian's own packages
  images inspect --type image "$base" >/dev/null 2>&1 && return
  local tar=$work/base.tar from
  say "base image from Debian packages"
  [ -s "$tar" ] || mmdebstrap --quiet --variant=minbase \
    --include=ca-certificates,python3,python3-venv,python3-pip bookworm "$tar" </dev/null
  from=$(images from scratch)
  images add "$from" "$tar" / >/dev/null
  images run --isolation chroot "$from" -- sh -c \
    'ln -sf /usr/bin/python3 /usr/local/bin/python; rm -f /usr/lib/python3*/EXTERNALLY-MANAGED'
  # What this machine needs to reach its registry, in the base alone: certificates and pip's settings.
  images copy "$from" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
  local settings
  for settings in /etc/pip.conf "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf" "$HOME/.pip/pip.conf"; do
    [ ! -f "$settings" ] || images copy "$from" "$settings" /etc/pip.conf >/dev/null
  done
  images commit --quiet --rm "$from" "$base" >/dev/null
}

build() {
  say "build $tag"
  if has_engine; then
    is_able=true
    docker build --quiet -f docker/Dockerfile --build-arg "PROJECT=$project" -t "$tag" .
  else
    command -v buildah >/dev/null || die "no Docker engine and no buildah: apt-get install buildah mmdebstrap"
    [ "$(df --output=avail -BM "$work" | tail -n 1 | tr -dc 0-9)" -gt 4000 ] || die "less than 4 GB are free in $work"
    make_base
    is_able=true
    images bud --isolation chroot --pull-never --format docker --quiet \
      -f docker/Dockerfile --build-arg "PROJECT=$project" -t "$tag" . >"$data/log" 2>&1
  fi
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start() { # port
  say "run $tag on port $1"
  chmod -R a+rwX "$data"
  if has_engine; then
    container=$(docker run --detach --read-only --tmpfs /tmp --volume "$data:/data" --publish "127.0.0.1:$1:8000" "$tag")
  else
    container=$(images from --pull-never "$tag")
    # buildah lays the image's own volume over a mount at /data: mount beside it
    images run --isolation chroot --user 10001:10001 --volume "$data:/mnt/data" \
      --env ROADMAP_DATA_DIR=/mnt/data "$container" -- \
      service --host 127.0.0.1 --port "$1" >"$data/log" 2>&1 &
    service_pid=$!
  fi
}

wait_for() { # url: until it answers 200, at most a minute
  for _ in $(seq 120); do
    curl --silent --fail --output /dev/null --max-time 2 "$1" && return
    sleep 0.5
  done
  die "no answer from $1"
}

build
if [ "$project" = p1_prediction_api ]; then
  say "train the model that the image will serve"
  ROADMAP_DATA_DIR=$data uv run --quiet p1-prediction-api train --if-missing
fi
port=$(free_port)
url=http://127.0.0.1:$port
start "$port"
wait_for "$url/readyz"
curl --silent --fail "$url/version"; echo
case $project in
  p1_prediction_api)
    say "predict the example of the model's own signature"
    curl --silent --fail "$url/v1/model" \
      | python3 -c 'import json, sys; m = json.load(sys.stdin); print(json.dumps({"rows": [{f["name"]: f["example"] for f in m["signature"]["features"]}]}))' \
      | curl --silent --fail-with-body --json @- "$url/v1/predict"
    echo ;;
  p2_nn_service)
    say "classify a held-out image as PNG: the one that the model is known to be surest and wrongest of"
    known=$(curl --silent --fail "$url/v1/model/mistakes")
    png() { python3 -c 'import base64, json, sys; sys.stdout.buffer.write(base64.b64decode(json.load(sys.stdin)[0]["png"]))'; }
    png <<<"$known" \
      | curl --silent --fail-with-body --header "Content-Type: image/png" --data-binary @- "$url/v1/classify?top=2" \
      | KNOWN=$known python3 -c 'import json, os, sys; a = json.load(sys.stdin); print(json.dumps(a)); assert a["classifications"][0]["label"] == json.loads(os.environ["KNOWN"])[0]["said"]' ;;
esac
say "$tag works"
