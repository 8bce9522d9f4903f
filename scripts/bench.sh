# ./run bench. Sourced by ../run.

verb_bench() {
  if wants_help "$@" || [ $# = 0 ]; then
    cat <<'EOF'
usage: ./run bench nano [--json] [--html FILE]   the shipped model on the fixed benchmark, with its controls
       ./run bench model [FOLDER] [--json] [--only GROUP,...]   what those questions do not measure: cost, streaming, equivariance,
                                                 calibration, robustness
       ./run bench smoke                         the same, of the 60 questions in sim/bench/smoke: half a minute
       ./run bench questions                     what a learner without ears gets right, task by task
       ./run bench serve [--json]                eight clients at once for a minute: errors, growth of memory
       ./run bench sim [--json] [--only GROUP,...]   the bars of simulation: time of a response beside pyroomacoustics, accuracy,
                                                 speed of whole scenes, determinism, memory (groups: responses, accuracy,
                                                 scenes, determinism, questions, memory); --without-peer skips pyroomacoustics
pyroomacoustics (MIT) is fetched at first use into ${AURICLE_CACHE:-~/.cache/auricle}/peers; it is measured, never linked.
The benchmark's audio (1 GB) is made once, from ./run sounds, under ${AURICLE_CACHE:-~/.cache/auricle}/bench-asa.
EOF
    return
  fi
  local what=$1
  shift
  case $what in
    model) bench_model "$@" ;;
    nano) bench_nano "$@" ;;
    smoke) bench_smoke "$@" ;;
    questions) bench_questions "$@" ;;
    serve) bench_serve "$@" ;;
    sim) bench_sim "$@" ;;
    *) die "bench '$what': must be nano, model, smoke, questions, serve or sim" ;;
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

bench_model() {
  build_targets auricle-model-bench
  need_sounds
  "$(program auricle-model-bench)" "$@"
}

bench_smoke() {
  build_targets auricle auricle-server auricle-bench
  start_server
  local status=0 answers
  answers=$(mktemp)
  "$(program auricle)" eval sim/bench/smoke/questions.jsonl --out "$answers" --server "$server_address" || status=$?
  stop_server
  [ "$status" != 0 ] || "$(program auricle-bench)" score --questions sim/bench/smoke/questions.jsonl --answers "$answers" "$@" || status=$?
  rm -f "$answers"
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

# The peer and what it stands on, pinned: figures of two machines are of the same programs.
peer_packages=(pyroomacoustics==0.10.1 numpy==2.4.6 scipy==1.17.1)
peer_dir=${AURICLE_CACHE:-$HOME/.cache/auricle}/peers/pyroomacoustics-0.10.1

# A folder of its own, made at first use; the stamp is written last, so an interrupted fetch is done again.
need_pyroomacoustics() {
  [ -f "$peer_dir/complete" ] && return 0
  say "fetching ${peer_packages[*]} (the peer that responses are timed against)"
  rm -rf "$peer_dir"
  mkdir -p "$peer_dir"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$peer_dir" "${peer_packages[@]}" >"$peer_dir.log" 2>&1 || {
    tail -n 20 "$peer_dir.log" >&2
    die "pip could not install the peer; ./run bench sim --without-peer measures the rest"
  }
  touch "$peer_dir/complete"
}

bench_sim() {
  local arguments=() peer=yes scenes=yes argument
  for argument in "$@"; do
    case $argument in
      --without-peer) peer= ;;
      *) arguments+=("$argument") ;;
    esac
  done
  case " $* " in
    *" --only "*)
      case " $* " in *responses*) ;; *) peer= ;; esac
      case " $* " in *scenes*|*determinism*|*questions*|*memory*) ;; *) scenes= ;; esac ;;
  esac
  build_targets auricle-sim-bench
  [ -n "$scenes" ] && need_sounds
  if [ -n "$peer" ]; then
    need_pyroomacoustics
    arguments+=(--peer "exec env PYTHONPATH='$peer_dir' python3 '$root/tests/bench/pyroom_peer.py'")
  fi
  "$(program auricle-sim-bench)" "${arguments[@]}"
}
