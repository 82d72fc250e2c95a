#!/bin/bash
# Oracle's MySQL from Debian's unstable suite for the lab, private to one folder: nothing is installed, apt's configuration and package
# database are not touched. `lab/mysql/unpack.sh [PREFIX]`, by default ~/.cache/holdfast/mysql, prints PREFIX. PREFIX/run-mysqld and
# PREFIX/run-mysql start the programs with the libraries they came with. About 60 MB to load, 330 MB unpacked.
set -euo pipefail
prefix=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/mysql}
[ -x "$prefix/run-mysqld" ] && { echo "$prefix"; exit; }
. "$(dirname "${BASH_SOURCE[0]}")/../unstable.sh"
w=$(mktemp -d); trap 'rm -rf "$w"' EXIT
prepare_unstable "$w"
apt-get "${unstable[@]}" -qq -y --no-install-recommends --download-only install mysql-server-core mysql-client-core >&2
rm -rf "$prefix.new"; mkdir -p "$prefix.new"
for d in "$w"/cache/archives/*.deb; do
  case ${d##*/} in perl*|libperl*|dpkg_*|tar_*|debconf_*|libdb5*|libgdbm*) ;; *) dpkg-deb -x "$d" "$prefix.new" ;; esac
done
rm -rf "$prefix.new"/usr/share/{doc,man,locale,lintian,i18n}
for b in mysqld:usr/sbin/mysqld mysql:usr/bin/mysql mysqlbinlog:usr/bin/mysqlbinlog mysqladmin:usr/bin/mysqladmin; do
  cat >"$prefix.new/run-${b%%:*}" <<W
#!/bin/sh
P=\$(cd "\$(dirname "\$0")" && pwd)
for d in usr/lib lib; do L=\$P/\$d/x86_64-linux-gnu; [ -f "\$L/ld-linux-x86-64.so.2" ] && break; done
exec "\$L/ld-linux-x86-64.so.2" --library-path "\$P/lib/x86_64-linux-gnu:\$P/usr/lib/x86_64-linux-gnu" "\$P/${b#*:}" "\$@"
W
  chmod +x "$prefix.new/run-${b%%:*}"
done
mv -T "$prefix.new" "$prefix"; echo "$prefix"
