/*
 * The package for the RHEL family, made by rpmbuild. It has never been installed on such a host: its file list and scripts are looked at
 * by a test, and that is all that is claimed of it.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTree } from "./tree.mjs";

export function makeRpm({ work, out, version, withNode }) {
  const tree = join(work, "rpm-tree");
  makeTree(tree, { version, withNode });
  // Here a service's settings are in /etc/sysconfig, and zsh looks into site-functions.
  mkdirSync(join(tree, "etc/sysconfig"), { recursive: true });
  renameSync(join(tree, "etc/default/holdfast"), join(tree, "etc/sysconfig/holdfast"));
  mkdirSync(join(tree, "usr/share/zsh/site-functions"), { recursive: true });
  renameSync(
    join(tree, "usr/share/zsh/vendor-completions/_holdfast"),
    join(tree, "usr/share/zsh/site-functions/_holdfast"),
  );
  const top = join(work, "rpmbuild");
  mkdirSync(top, { recursive: true });
  const spec = join(top, "holdfast.spec");
  writeFileSync(spec, specFile({ tree, version, withNode }));
  const defines = {
    _topdir: top,
    _build_id_links: "none",
    __os_install_post: "%{nil}",
    debug_package: "%{nil}",
    _binary_payload: "w6.gzdio",
  };
  const words = Object.entries(defines).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
  execFileSync("rpmbuild", ["-bb", "--quiet", "--target", "x86_64", ...words, spec], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const folder = join(top, "RPMS/x86_64");
  const [name] = readdirSync(folder);
  const file = join(out, name);
  execFileSync("mv", [join(folder, name), file]);
  return file;
}

function specFile({ tree, version, withNode }) {
  return `Name: holdfast
Version: ${version.replaceAll("-", "~")}
Release: 1
Summary: Keeps a database's virtual address on a healthy server
License: Apache-2.0
AutoReqProv: no
Requires: util-linux, glibc >= 2.28${withNode ? ", libstdc++" : ", nodejs >= 20.19"}
%description
Runs the configuration of keepalived: VRRP, virtual addresses, checks. An address is taken only after the database behind it is ready.

%install
mkdir -p %{buildroot}
cp -a ${tree}/. %{buildroot}/
mkdir -p %{buildroot}/etc/holdfast %{buildroot}/var/lib/holdfast

%post
systemctl daemon-reload >/dev/null 2>&1 || :
systemctl try-restart holdfast-witness.service >/dev/null 2>&1 || :
for name in $(cd /usr/lib/holdfast/bin && ls); do
  link=/usr/bin/$name; [ $name = holdfast ] && { name=keepalived; link=/usr/sbin/keepalived; }
  [ -e $link ] && [ ! -L $link ] && continue
  program=$name; [ $name = keepalived ] && program=holdfast
  update-alternatives --install $link $name /usr/lib/holdfast/bin/$program 20 || :
done
if [ "$1" -ge 2 ] && [ -S /run/holdfast.sock ]; then
  /usr/bin/holdfast restart || echo "holdfast: the old version goes on running; restart it when its addresses may move" >&2
fi

%preun
if [ "$1" -eq 0 ]; then
  systemctl disable --now holdfast.service holdfast-witness.service >/dev/null 2>&1 || :
  update-alternatives --remove keepalived /usr/lib/holdfast/bin/holdfast || :
  for name in $(cd /usr/lib/holdfast/bin && ls | grep -v '^holdfast$'); do
    update-alternatives --remove $name /usr/lib/holdfast/bin/$name || :
  done
fi

%postun
systemctl daemon-reload >/dev/null 2>&1 || :

%files
%defattr(-,root,root)
/usr/bin/holdfast
/usr/lib/holdfast
/usr/lib/systemd/system/holdfast.service
/usr/lib/systemd/system/holdfast-witness.service
/usr/share/bash-completion/completions/holdfast
/usr/share/zsh/site-functions/_holdfast
%doc /usr/share/doc/holdfast
%doc /usr/share/man/man5/holdfast.conf.5.gz
%doc /usr/share/man/man8/holdfast.8.gz
%config(noreplace) /etc/sysconfig/holdfast
%dir %attr(0750,root,root) /etc/holdfast
%dir %attr(0700,root,root) /var/lib/holdfast
`;
}
