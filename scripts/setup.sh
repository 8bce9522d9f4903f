# ./run setup: everything that apt and pip bring. Sourced by ../run.

apt_packages=(
  build-essential g++ cmake ninja-build ccache pkg-config git unzip python3 python3-pip
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev prometheus-cpp-dev
  libsndfile1-dev libsoxr-dev libhwy-dev libsqlite3-dev libssl-dev nlohmann-json3-dev libpcre2-dev libutf8proc-dev
  libspdlog-dev libpng-dev libarchive-dev libgtest-dev libgmock-dev)
torch_version=2.13.0
googleapis_version=1.63.2
googleapis_sha256=27a2499c7e8aff199665b22741997e485eccc8645aa9176c7c988e6fae507945
setup_log=.deps/setup.log  # what apt and pip say, shown when they fail

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# install_packages NAME...: those that are missing, in one apt call.
install_packages() {
  local missing=() p
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null)" = "ii " ] || missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  mkdir -p "$(dirname "$setup_log")"
  as_root apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$setup_log" 2>&1 ||
    { tail -n 20 "$setup_log" >&2; die "apt-get could not install them (whole log: $setup_log)"; }
}

# wheel NAME VERSION: downloads it without its dependencies and prints its path.
wheel() {
  local folder=.deps/wheels
  mkdir -p "$folder"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$folder" "$1==$2" >"$setup_log" 2>&1 ||
    { tail -n 20 "$setup_log" >&2; die "pip could not download $1==$2"; }
  ls -t "$folder/${1//-/_}-$2"*.whl | head -n 1
}

# LibTorch: the C++ half of the wheel. The stamp is written last, so an interrupted unpacking is done again.
setup_libtorch() {
  if [ -n "${AURICLE_LIBTORCH:-}" ]; then
    [ -f "$AURICLE_LIBTORCH/lib/libtorch_cpu.so" ] || die "AURICLE_LIBTORCH=$AURICLE_LIBTORCH holds no lib/libtorch_cpu.so"
    return 0
  fi
  [ -f .deps/libtorch/complete ] && [ "$(cat .deps/libtorch/complete)" = "$torch_version" ] && return 0
  say "fetching LibTorch $torch_version (the C++ half of the PyPI wheel, about 190 MB)"
  local file
  file=$(wheel torch "$torch_version")
  rm -rf .deps/libtorch .deps/unpack
  mkdir -p .deps/unpack
  unzip -q "$file" 'torch/lib/*' 'torch/include/*' -d .deps/unpack
  mv .deps/unpack/torch .deps/libtorch
  rm -rf .deps/unpack "$file"
  echo "$torch_version" >.deps/libtorch/complete
}

# google/rpc/status.proto and error_details.proto, which Debian's gRPC links but does not ship.
setup_googleapis() {
  local target=.deps/googleapis/google/rpc file
  [ -f "$target/error_details.proto" ] && [ -f "$target/status.proto" ] && return 0
  say "fetching googleapis-common-protos $googleapis_version (error details)"
  file=$(wheel googleapis-common-protos "$googleapis_version")
  echo "$googleapis_sha256  $file" | sha256sum --check --quiet || die "$file has another sha256 than the pinned one"
  mkdir -p "$target"
  unzip -q -o -j "$file" google/rpc/status.proto google/rpc/error_details.proto -d "$target"
}

verb_setup() {
  if wants_help "$@"; then
    cat <<'EOF'
usage: ./run setup
Installs the Debian packages that are missing (as root or with sudo), unpacks LibTorch 2.13.0 from its PyPI wheel into
.deps/libtorch and the definitions of google.rpc.Status into .deps/googleapis. Safe to repeat; does nothing when all is there.
AURICLE_LIBTORCH=DIR  use the LibTorch (>= 2.6) in DIR instead, a CUDA one included.
EOF
    return
  fi
  [ $# = 0 ] || die "setup takes no arguments"
  install_packages "${apt_packages[@]}"
  setup_libtorch
  setup_googleapis
}
