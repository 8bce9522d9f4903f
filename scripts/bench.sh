# ./run bench. Sourced by ../run.

verb_bench() {
  if wants_help "$@" || [ $# = 0 ]; then
    cat <<'EOF'
usage: ./run bench nano [--json]     the shipped model on the fixed benchmark, with its controls
       ./run bench serve [--json]    eight clients at once for a minute: errors, growth of memory
The benchmark's audio (400 MB) is made once, from ./run sounds, under ${AURICLE_CACHE:-~/.cache/auricle}/bench.
EOF
    return
  fi
  local what=$1
  shift
  case $what in
    nano) bench_nano "$@" ;;
    serve) bench_serve "$@" ;;
    *) die "bench '$what': must be nano or serve" ;;
  esac
}

bench_nano() {
  build_targets auricle auricle-server auricle-bench
  need_sounds
  local folder=${AURICLE_CACHE:-$HOME/.cache/auricle}/bench answers control
  if ! "$(program auricle-bench)" check --out "$folder" >/dev/null 2>&1; then
    say "making the benchmark in $folder"
    "$(program auricle-bench)" generate --out "$folder" --control all
  fi
  start_server
  answers=$(mktemp -d)
  local score=(--questions "$folder/questions.jsonl" --answers "$answers/answers.jsonl")
  say "asking"
  "$(program auricle)" eval "$folder/questions.jsonl" --out "$answers/answers.jsonl" --server "$server_address" --concurrency 4
  for control in zero-spatial silence mono; do
    say "asking with control $control"
    "$(program auricle)" eval "$folder/questions-$control.jsonl" --out "$answers/$control.jsonl" --server "$server_address" --concurrency 4
    score+=(--control "$control=$answers/$control.jsonl")
  done
  stop_server
  local status=0
  "$(program auricle-bench)" score "${score[@]}" "$@" || status=$?
  rm -rf "$answers"
  return "$status"
}

bench_serve() {
  build_targets auricle-server serve_soak
  start_server
  local status=0
  "$(find "$build" -name serve_soak -type f -perm -u+x | head -n 1)" --address "$server_address" --pid "$server_pid" "$@" || status=$?
  stop_server
  return "$status"
}
