# ./run serve, ask, scene, eval, demo: the server and those who talk to it. Sourced by ../run.

default_model=$root/model/nano
server_address=${AURICLE_SERVER:-127.0.0.1:50051}
server_pid=

# start_server ARGUMENTS...: in the background on free ports; sets server_pid, server_address and metrics_address.
start_server() {
  server_log=$(mktemp -t auricle-server.XXXXXX)
  "$(program auricle-server)" --model "$default_model" --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 "$@" >"$server_log" 2>"$server_log.err" &
  server_pid=$!
  trap stop_server EXIT
  local line=
  for _ in $(seq 600); do
    line=$(grep -m1 '"event":"serving"' "$server_log" || true)
    [ -n "$line" ] && break
    kill -0 "$server_pid" 2>/dev/null || { cat "$server_log.err" >&2; die "the server ended at once"; }
    sleep 0.1
  done
  [ -n "$line" ] || die "the server did not start within a minute (its log: $server_log.err)"
  server_address=$(sed -E 's/.*"address":"([^"]*)".*/\1/' <<<"$line")
  metrics_address=$(sed -E 's/.*"metrics":"([^"]*)".*/\1/' <<<"$line")
}

stop_server() {
  [ -n "$server_pid" ] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=
  rm -f "$server_log" "$server_log.err"
}

# with_server VERB ARGUMENTS...: the command-line client against a server that runs, or one started for the call.
with_server() {
  build_targets auricle auricle-server 2> >(grep -v '^ninja: no work to do' >&2)
  if wants_help "$@"; then
    "$(program auricle)" "$@"
    return
  fi
  case " $* " in
    *" --server "*|*" --server="*) (cd "$caller_dir" && exec "$(program auricle)" "$@"); return ;;
  esac
  if ! "$(program auricle)" health --server "$server_address" >/dev/null 2>&1; then
    say "no server at $server_address: starting one for this call"
    start_server
  fi
  local status=0
  (cd "$caller_dir" && AURICLE_SERVER=$server_address "$(program auricle)" "$@") || status=$?
  stop_server
  return "$status"
}

verb_ask() { with_server ask "$@"; }
verb_scene() { with_server scene "$@"; }
verb_eval() { with_server eval "$@"; }

verb_serve() {
  if wants_help "$@"; then
    cat <<'EOF'
usage: ./run serve [ARGUMENTS OF auricle-server]
Builds the server and starts it with the shipped model on 127.0.0.1:50051, metrics on 127.0.0.1:9464. Ctrl-C drains and stops.
./run serve --listen 0.0.0.0:50051   serve other machines (no TLS, no authentication: only where the network is trusted)
EOF
    if [ -x "$(program auricle-server)" ]; then
      "$(program auricle-server)" --help
    else
      echo "Its arguments are shown once it is built: ./run build auricle-server"
    fi
    return
  fi
  build_targets auricle-server
  cd "$caller_dir"
  case " $* " in
    *" --model "*|*" --model="*|*" --config "*|*" --config="*) exec "$(program auricle-server)" "$@" ;;
    *) exec "$(program auricle-server)" --model "$default_model" "$@" ;;
  esac
}

verb_demo() {
  if wants_help "$@"; then
    cat <<'EOF'
usage: ./run demo
Sets up, builds, starts a server with the shipped model, asks six questions about three example scenes, prints the truth beside
each answer, draws what was heard, shows live metrics, and stops what it started.
EOF
    return
  fi
  build_targets auricle auricle-server
  say "starting a server with the shipped model"
  start_server
  local status=0
  AURICLE_SERVER=$server_address "$(program auricle)" demo --scenes "$root/client/examples" --metrics "$metrics_address" "$@" || status=$?
  say "live metrics were at http://$metrics_address/metrics; a sample:"
  python3 - "$metrics_address" <<'EOF' || true
import sys, urllib.request
text = urllib.request.urlopen(f"http://{sys.argv[1]}/metrics", timeout=5).read().decode()
wanted = ("auricle_requests_total", "auricle_audio_seconds_total", "auricle_time_to_first_token_seconds_count", "auricle_time_to_first_token_seconds_sum", "auricle_real_time_factor")
print("\n".join("  " + line for line in text.splitlines() if line.startswith(wanted)))
EOF
  say "stopping the server"
  stop_server
  return "$status"
}
