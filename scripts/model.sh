# ./run sounds, simulate, train, models: where data and models come from. Sourced by ../run.

sounds_dir=${AURICLE_CACHE:-$HOME/.cache/auricle}/sounds

verb_sounds() {
  install_packages fluidsynth git
  (cd "$caller_dir" && python3 "$root/sim/source/fetch_sounds.py" "$@")
}

# Fetches the bank where it is missing.
need_sounds() {
  [ -f "$sounds_dir/bank.tsv" ] || verb_sounds
}

verb_simulate() {
  wants_help "$@" || need_sounds
  run_auricle simulate "$@"
}

# Those that need no recordings: the program has its own --help.
verb_verify() { run_auricle verify "$@"; }
verb_export() { run_auricle export "$@"; }
verb_import() { run_auricle import "$@"; }

run_auricle() {
  build_targets auricle
  cd "$caller_dir" && exec "$(program auricle)" "$@"
}

verb_train() {
  build_targets auricle-train
  wants_help "$@" || need_sounds
  cd "$caller_dir" && exec "$(program auricle-train)" "$@"
}

verb_models() {
  build_targets auricle-models
  [ $# -gt 0 ] || set -- "$root/model/nano"
  cd "$caller_dir" && exec "$(program auricle-models)" "$@"
}
