# ./run fuzz. Sourced by ../run.

# Programs, and the targets that each holds: suites of GoogleTest without their "Fuzz" (tests/fuzz).
fuzz_programs=(auricle_sim_fuzz_test auricle_fuzz_test)
fuzz_sim_targets=(SceneSpec Shard Audio Dcase Answer Manifest Bank)
fuzz_other_targets=(Safetensors Gguf Adapter Tokenizer Text ModelConfig Clip QuestionFile ServerConfig)

verb_fuzz() {
  if wants_help "$@"; then
    cat <<EOF
usage: ./run fuzz [TARGET...] [--seconds N] [--seed N] [--no-sanitizer]
       ./run fuzz TARGET --replay FILE
Feeds damaged copies of good bytes to the readers of them, N seconds each (default 600), built with AddressSanitizer and
UndefinedBehaviorSanitizer. Inputs that reach new code are damaged further. A target ends at its first finding; the input
that failed is kept, and its path printed. At the end a table: inputs tried, edges of the program reached, findings.
targets of simulation (all of these where none is named):  ${fuzz_sim_targets[*]}
other targets ("all" is every one):                        ${fuzz_other_targets[*]}
--replay        tries one input that was kept: does it still fail?
--seed          other inputs than those of another run (default: a new one each time, printed)
--no-sanitizer  the plain build
EOF
    return
  fi
  local targets=() seconds=600 seed=$((RANDOM * 32768 + RANDOM)) sanitizer=asan replay=
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds|--seed)
        [ $# -ge 2 ] || die "$1 needs a value"
        [[ $2 =~ ^[0-9]{1,9}$ ]] || die "$1 is '$2', must be a whole number"
        if [ "$1" = --seconds ]; then seconds=$2; else seed=$2; fi
        shift ;;
      --replay)
        [ $# -ge 2 ] || die "--replay needs a value"
        [ -f "$2" ] || die "--replay: $2: no such file"
        replay=$(readlink -f "$2")
        shift ;;
      --no-sanitizer) sanitizer= ;;
      all) targets+=("${fuzz_sim_targets[@]}" "${fuzz_other_targets[@]}") ;;
      -*) die "fuzz: no such option: $1" ;;
      *)
        case " ${fuzz_sim_targets[*]} ${fuzz_other_targets[*]} " in
          *" $1 "*) targets+=("$1") ;;
          *) die "fuzz: no such target: $1 (./run fuzz --help lists them)" ;;
        esac ;;
    esac
    shift
  done
  [ "$seconds" -gt 0 ] || die "--seconds must be at least 1"
  [ ${#targets[@]} -gt 0 ] || targets=("${fuzz_sim_targets[@]}")
  [ -z "$replay" ] || [ ${#targets[@]} = 1 ] || die "--replay needs one target: the one that kept the file"
  if [ -n "$sanitizer" ]; then
    use_sanitizer "$sanitizer"
    preset=fuzz build=build/fuzz  # the same, and what is reached is reported
  fi
  # Only what is needed: the other targets bring the server and the model along.
  local programs=() target
  for target in "${targets[@]}"; do
    [[ " ${programs[*]} " == *" $(fuzz_program "$target") "* ]] || programs+=("$(fuzz_program "$target")")
  done
  build_targets "${programs[@]}"

  if [ -n "$replay" ]; then
    AURICLE_FUZZ_REPLAY=$replay OMP_NUM_THREADS=1 fuzz_target "${targets[0]}"
    return
  fi
  local keep=$root/$build/findings rows=() failed=0
  mkdir -p "$keep"
  say "fuzzing ${#targets[@]} targets, $seconds s each (--seed $seed)"
  for target in "${targets[@]}"; do
    local log=$keep/$target.log status=0 finding=none inputs=- gone=0 signals=-
    rm -f "$keep/$target.input"
    AURICLE_FUZZ_SECONDS=$seconds AURICLE_FUZZ_SEED=$seed AURICLE_FUZZ_KEEP=$keep OMP_NUM_THREADS=1 \
      fuzz_target "$target" 2>&1 | tee "$log" |
      grep --line-buffered -vE '^(Note: |\[src/libmpg123|\[libprotobuf )' >&2 || status=$?  # what libraries say of bad bytes
    # The last line that says how far it came: of the end, or, where the program crashed, of the ten seconds before.
    read -r inputs gone signals < <(sed -nE \
      -e "s/^$target: ([0-9]+) of [0-9]+ s, ([0-9]+) inputs, ([0-9-]+) signals$/\2 \1 \3/p" \
      -e "s/^$target: ([0-9]+) inputs in ([0-9]+) s, ([0-9-]+) signals, .*/\1 \2 \3/p" "$log" | tail -n 1) || true
    if [ "$status" != 0 ] || ! grep -qE "^$target: [0-9]+ inputs in .*, no finding$" "$log"; then
      failed=$((failed + 1))
      finding=$log
      # A crash leaves the input behind, as a failed expectation does.
      if [ -f "$keep/$target.input" ]; then
        finding=$keep/$target-$seed.input
        mv "$keep/$target.input" "$finding"
      fi
    fi
    rows+=("$(printf '%-14s %12s %10s %10s  %s' "$target" "${inputs:--}" \
      "$(awk -v n="${inputs:-0}" -v s="${gone:-0}" 'BEGIN { if (s > 0) printf "%.0f", n / s; else printf "-" }')" \
      "${signals:--}" "$finding")")
  done
  printf '%-14s %12s %10s %10s  %s\n' target inputs inputs/s signals finding
  printf '%s\n' "${rows[@]}"
  echo "$((${#targets[@]} - failed)) targets without a finding, $failed with one (replay: ./run fuzz TARGET --replay FILE)"
  [ "$failed" = 0 ]
}

# Runs one target as the environment says.
fuzz_target() {
  "$(find "$build" -name "$(fuzz_program "$1")" -type f -perm -u+x | head -n 1)" --gtest_brief=1 --gtest_filter="$1Fuzz.*"
}

# The program that holds a target.
fuzz_program() {
  case " ${fuzz_sim_targets[*]} " in
    *" $1 "*) echo "${fuzz_programs[0]}" ;;
    *) echo "${fuzz_programs[1]}" ;;
  esac
}
