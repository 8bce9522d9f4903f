# ./run test. Sourced by ../run.

verb_test() {
  if wants_help "$@"; then
    cat <<'EOF'
usage: ./run test [--sanitize asan|tsan] [CTEST ARGUMENTS]
Builds everything and runs every test. asan: AddressSanitizer + UndefinedBehaviorSanitizer; tsan: ThreadSanitizer.
Arguments go to ctest, e.g. ./run test -R sim
Tests compare with the reference material in ../shared where it lies beside the checkout, and say so where they skip.
EOF
    return
  fi
  if [ "${1:-}" = --sanitize ]; then
    case ${2:-} in asan|tsan) ;; *) die "--sanitize is '${2:-}', must be asan or tsan" ;; esac
    use_sanitizer "$2"
    shift 2
  fi
  build_targets
  say "testing"
  local log=$build/test.log status=0
  # One test program at a time has all cores: LibTorch and the servers under test bring their own threads.
  ctest --test-dir "$build" --output-on-failure --no-tests=error "$@" 2>&1 | tee "$log" || status=$?
  # One line that counts test programs, for people and for CI.
  local passed failed
  passed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$log" || true)
  failed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*(\*\*\*|Failed|Timeout)' "$log" || true)
  echo "$passed passed, $failed failed"
  return "$status"
}

# use_sanitizer asan|tsan: what is built and run from here on is built with it.
use_sanitizer() {
  preset=$1
  build=build/$preset
  local suppressions=$root/cmake/sanitizers
  export ASAN_OPTIONS=detect_odr_violation=0:strict_init_order=1 LSAN_OPTIONS=suppressions=$suppressions/lsan.supp
  export UBSAN_OPTIONS=print_stacktrace=1:suppressions=$suppressions/ubsan.supp
  export TSAN_OPTIONS=second_deadlock_stack=1:history_size=7:ignore_noninstrumented_modules=1:suppressions=$suppressions/tsan.supp
}
