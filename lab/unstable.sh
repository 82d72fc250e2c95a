# For programs of Debian's unstable suite that the lab unpacks privately: sourced, not run. Nothing is installed, apt's configuration and
# package database are not touched.

# FOLDER: makes an apt of its own there; afterwards `apt-get "${unstable[@]}"` and `apt-cache "${unstable[@]}"` know that suite alone.
prepare_unstable() {
  local folder=$1 uri
  # shellcheck disable=SC2016
  uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2=="Debian" && $3=="Debian" && $4=="main"{print $1; exit}')
  [ -n "$uri" ] || { echo "no Debian archive in apt's sources" >&2; return 1; }
  mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
  : >"$folder/status"
  printf 'Types: deb\nURIs: %s\nSuites: sid\nComponents: main\nArchitectures: amd64\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$uri" >"$folder/sid.sources"
  unstable=(-o "Dir::Etc::sourcelist=$folder/sid.sources" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$folder/lists"
    -o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root)
  apt-get "${unstable[@]}" -qq update >&2
}
