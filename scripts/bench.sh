# ./run bench. Sourced by ../run.

verb_bench() {
  if wants_help "$@" || [ $# = 0 ]; then
    cat <<'EOF'
usage: ./run bench nano [--json] [--html FILE]   the shipped model on the fixed benchmark, with its controls
       ./run bench questions                     what a learner without ears gets right, task by task
       ./run bench serve [--json]                eight clients at once for a minute: errors, growth of memory
The benchmark's audio (1 GB) is made once, from ./run sounds, under ${AURICLE_CACHE:-~/.cache/auricle}/bench-asa.
EOF
    return
  fi
  local what=$1
  shift
  case $what in
    nano) bench_nano "$@" ;;
    questions) bench_questions "$@" ;;
    serve) bench_serve "$@" ;;
    *) die "bench '$what': must be nano, questions or serve" ;;
  esac
}

bench_nano() {
  build_targets auricle auricle-server
  need_sounds
  start_server
  local status=0
  "$(program auricle)" eval --bench asa --server "$server_address" "$@" || status=$?
  stop_server
  return "$status"
}

bench_questions() {
  build_targets auricle-bench
  need_sounds
  "$(program auricle-bench)" question-only "$@"
}

bench_serve() {
  build_targets auricle-server serve_soak
  start_server
  local status=0
  "$(find "$build" -name serve_soak -type f -perm -u+x | head -n 1)" --address "$server_address" --pid "$server_pid" "$@" || status=$?
  stop_server
  return "$status"
}
