# What the server scripts of this folder share. Sourced, not run.

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# A TCP port on loopback that nobody listens on: below the range that the kernel hands out itself.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  fail "no free port found between 20000 and 32000"
}

# wait_until SECONDS COMMAND…: polls ten times a second.
wait_until() {
  local tries=$(($1 * 10))
  shift
  for ((i = 0; i < tries; i++)); do
    "$@" >/dev/null 2>&1 && return
    read -rt 0.1 <> <(:) || true
  done
  return 1
}

# stop_process PIDFILE NAME: ends the process that wrote the file, if it is still that program.
stop_process() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  rm -f "$1"
  # A number from an old run may meanwhile belong to somebody else.
  [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$2"* ]] || return 0
  kill "$pid" 2>/dev/null || return 0
  wait_until 10 process_gone "$pid" || { kill -9 "$pid" && wait_until 5 process_gone "$pid"; }
}

process_gone() {
  [[ ! -e /proc/$1 ]] || [[ $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) == Z ]]
}

# Folders that `start` made hold this file: `stop` deletes nothing else.
readonly MARK=.leat-test-server

# new_folder DIR: makes it; refuses one that holds anything.
new_folder() {
  if [[ -e $1 ]] && [[ -n $(ls -A "$1") ]]; then
    fail "$1 is not empty: give a folder that does not exist yet, or stop the server in it first"
  fi
  mkdir -p "$1"
  touch "$1/$MARK"
}

remove_folder() {
  [[ -e $1/$MARK ]] && rm -rf "$1"
}

usage() {
  echo "usage: $0 start|env|crash|stop DIR" >&2
  exit 2
}
