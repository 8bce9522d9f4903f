# ./run build and ./run lint. Sourced by ../run.

# build_targets TARGET...: configures and compiles; without targets, everything.
build_targets() {
  verb_setup
  local options=()
  [ -n "${AURICLE_LIBTORCH:-}" ] && options+=("-DAURICLE_LIBTORCH=$AURICLE_LIBTORCH")
  if [ ! -f "$build/build.ninja" ]; then
    say "configuring ($preset)"
    mkdir -p "$(dirname "$build")"
    cmake --preset "$preset" "${options[@]}" >"$build.configure.log" 2>&1 || { cat "$build.configure.log" >&2; die "cmake failed"; }
  fi
  say "building ($preset, $jobs jobs)"
  ninja -C "$build" -j "$jobs" "$@" >&2
}

# Programs of the build, started from any folder.
program() { echo "$root/$build/bin/$1"; }

verb_build() {
  if wants_help "$@"; then
    cat <<'EOF'
usage: ./run build [--preset release|debug|asan|tsan] [TARGET...]
Sets up, configures and compiles into build/PRESET. Targets mirror folders: auricle_sim, auricle_model, ...
AURICLE_JOBS=N  compile N files at once (default: number of cores).
EOF
    return
  fi
  if [ "${1:-}" = --preset ]; then
    [ $# -ge 2 ] || die "--preset needs a value: release, debug, asan or tsan"
    case $2 in release|debug|asan|tsan) ;; *) die "--preset is '$2', must be release, debug, asan or tsan" ;; esac
    preset=$2
    build=build/$preset
    shift 2
  fi
  build_targets "$@"
}

verb_lint() {
  if wants_help "$@"; then
    cat <<'EOF'
usage: ./run lint [--fix]
clang-format over every C++ file (--fix rewrites them) and clang-tidy, warnings as errors, over the rooms that do not see LibTorch.
EOF
    return
  fi
  install_packages clang-format-14 clang-tidy-14
  local mode=(--dry-run -Werror)
  [ "${1:-}" = --fix ] && mode=(-i)
  git ls-files '*.h' '*.cc' | xargs clang-format-14 "${mode[@]}"
  [ -f "$build/compile_commands.json" ] || build_targets auricle_proto
  git ls-files 'sim/*.cc' 'server/inference/*.cc' 'server/runtime/*.cc' 'client/*.cc' | xargs -P "$jobs" -n 4 clang-tidy-14 --quiet -p "$build"
}
