# ./run fuzz. Sourced by ../run.

# Programs, and the targets that each holds: suites of GoogleTest without their "Fuzz" (tests/fuzz).
fuzz_programs=(auricle_sim_fuzz_test auricle_fuzz_test)
fuzz_sim_targets=(SceneSpec Shard Audio Dcase Answer Manifest Bank)
fuzz_other_targets=(Safetensors Tokenizer Text ModelConfig Clip QuestionFile ServerConfig)

verb_fuzz() {
  if wants_help "$@"; then
    cat <<EOF
usage: ./run fuzz [TARGET...] [--seconds N] [--seed N] [--no-sanitizer]
Feeds damaged copies of good bytes to the readers of them, N seconds each (default 600), built with AddressSanitizer and
UndefinedBehaviorSanitizer. A target ends at its first finding; the input that failed is kept, and its path printed.
targets of simulation (all of these where none is named):  ${fuzz_sim_targets[*]}
other targets ("all" is every one):                        ${fuzz_other_targets[*]}
--seed          other inputs than those of another run (default: a new one each time, printed)
--no-sanitizer  the plain build
EOF
    return
  fi
  local targets=() seconds=600 seed=$((RANDOM * 32768 + RANDOM)) sanitizer=asan
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds|--seed)
        [ $# -ge 2 ] || die "$1 needs a value"
        [[ $2 =~ ^[0-9]{1,9}$ ]] || die "$1 is '$2', must be a whole number"
        if [ "$1" = --seconds ]; then seconds=$2; else seed=$2; fi
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
  [ -z "$sanitizer" ] || use_sanitizer "$sanitizer"
  # Only what is needed: the other targets bring the server and the model along.
  local programs=() target
  for target in "${targets[@]}"; do
    [[ " ${programs[*]} " == *" $(fuzz_program "$target") "* ]] || programs+=("$(fuzz_program "$target")")
  done
  build_targets "${programs[@]}"

  local keep=$root/$build/fuzz summary=() failed=0
  mkdir -p "$keep"
  say "fuzzing ${#targets[@]} targets, $seconds s each (--seed $seed)"
  for target in "${targets[@]}"; do
    local log=$keep/$target.log status=0 line
    rm -f "$keep/$target.input"
    AURICLE_FUZZ_SECONDS=$seconds AURICLE_FUZZ_SEED=$seed AURICLE_FUZZ_KEEP=$keep OMP_NUM_THREADS=1 \
      "$(find "$build" -name "$(fuzz_program "$target")" -type f -perm -u+x | head -n 1)" \
      --gtest_brief=1 --gtest_filter="${target}Fuzz.*" 2>&1 | tee "$log" >&2 || status=$?
    line=$(grep -E "^$target: [0-9]+ inputs in .*, no finding" "$log" | tail -n 1 || true)
    if [ "$status" != 0 ] || [ -z "$line" ]; then
      failed=$((failed + 1))
      line="$target: A FINDING (its log: $log)"
      # A crash leaves the input behind, as a failed expectation does.
      if [ -f "$keep/$target.input" ]; then
        mv "$keep/$target.input" "$keep/$target-$seed.input"
        line="$target: A FINDING, kept in $keep/$target-$seed.input (its log: $log)"
      fi
    fi
    summary+=("$line")
  done
  printf '%s\n' "${summary[@]}"
  echo "$((${#targets[@]} - failed)) targets without a finding, $failed with one"
  [ "$failed" = 0 ]
}

# The program that holds a target.
fuzz_program() {
  case " ${fuzz_sim_targets[*]} " in
    *" $1 "*) echo "${fuzz_programs[0]}" ;;
    *) echo "${fuzz_programs[1]}" ;;
  esac
}
