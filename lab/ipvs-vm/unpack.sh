#!/bin/bash
# What the virtual machine of run.sh is made of, from Debian's archive, private to one folder: nothing is installed.
#   lab/ipvs-vm/unpack.sh uml|qemu      prints the folder (~/.cache/holdfast/ipvs-vm/uml or .../qemu)
# uml:  User Mode Linux, a kernel that is an ordinary program. About 43 MB to load, once. Older ones (6.1, 6.12) do not start on processors with AMX,
#       whose registers are more than they make room for: then the one of Debian's unstable suite is taken, with the C library it wants.
# qemu: a Debian cloud kernel for software emulation, where User Mode Linux does not run. About 35 MB; qemu itself, virtiofsd and lz4
#       must be installed (the message says which package is missing).
# Layout: host/ runs on the host, modules/VERSION are the kernel's, tools/ is laid over the guest's /usr.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../unstable.sh"

kind=${1:-uml}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/ipvs-vm
dir=$cache/$kind
tools="busybox-static ipvsadm libnl-3-200 libnl-genl-3-200 libpopt0"
[ "$kind" = uml ] || [ "$kind" = qemu ] || { echo "unpack.sh uml|qemu" >&2; exit 2; }

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
[ ! -e "$dir/complete-2" ] || { echo "$dir"; exit; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
new=$dir.new
rm -rf "$dir" "$new"
mkdir -p "$new"/{host,tools/sbin,tools/lib/x86_64-linux-gnu}

candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -qv '(none)'; }
update() { apt-get -qq update >&2 || true; }

load() { # PACKAGE...: unpacked into $work/x, with /bin, /sbin and /lib moved below /usr
  local deb part package
  for package; do candidate "$package" || { update; break; }; done
  for package; do candidate "$package" || { echo "apt offers no package $package" >&2; exit 1; }; done
  cd "$work"
  # A list of yesterday may name a version that is gone.
  apt-get -qq download "$@" >apt.log 2>&1 || { update; apt-get -qq download "$@" >apt.log 2>&1; } ||
    { cat apt.log >&2; echo "the packages could not be loaded" >&2; exit 1; }
  cd - >/dev/null
  mkdir -p "$work/x/usr"
  for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/x"; done
  for part in bin sbin lib; do
    [ ! -d "$work/x/$part" ] || { mkdir -p "$work/x/usr/$part"; cp -a "$work/x/$part/." "$work/x/usr/$part/"; }
  done
}

arrange() { # what both kinds have in common
  local name
  mv "$work/x/usr/bin/busybox" "$new/host/"
  mv "$work"/x/usr/sbin/ipvsadm* "$new/tools/sbin/"
  mv "$work"/x/usr/lib/x86_64-linux-gnu/lib*.so.* "$new/tools/lib/x86_64-linux-gnu/"
  # The guest's modules are other ones than the host's: busybox's own loader serves both.
  for name in modprobe rmmod lsmod; do ln -s "/.host$dir/host/busybox" "$new/tools/sbin/$name"; done
}

unpack_uml() {
  # shellcheck disable=SC2086
  load user-mode-linux $tools
  arrange
  mv "$work/x/usr/lib/uml/modules" "$new/modules"
  mv "$work/x/usr/bin/linux.uml" "$new/host/"
  starts || newer_uml
}

starts() { # whether the kernel comes as far as running a program
  echo "echo it starts >/dev/tty0; '$new/host/busybox' poweroff -f" >"$work/probe"
  TMPDIR=/dev/shm timeout 20 "$new/host/linux.uml" mem=128M rootfstype=hostfs rootflags=/ ro init="$new/host/busybox" quiet panic=-1 \
    uml_dir="$work/uml/" con=null con0=null,fd:1 ssl=null -- sh "$work/probe" 2>/dev/null </dev/null | grep -q "it starts"
}

newer_uml() {
  local libraries=host/lib
  echo "User Mode Linux of this release does not start on this processor: taking the one of Debian's unstable suite" >&2
  prepare_unstable "$work/unstable"
  rm -rf "$work"/*.deb "$work/x"
  (cd "$work" && apt-get "${unstable[@]}" -qq download user-mode-linux libc6 >&2)
  load patchelf
  rm -rf "$new/modules"
  mv "$work/x/usr/lib/uml/modules" "$new/modules"
  mkdir "$new/$libraries"
  mv "$work"/x/usr/lib/x86_64-linux-gnu/{ld-linux-x86-64,libc}.so.* "$new/$libraries/"
  "$work/x/usr/bin/patchelf" --set-interpreter "$dir/$libraries/ld-linux-x86-64.so.2" --set-rpath "$dir/$libraries" "$work/x/usr/bin/linux.uml"
  mv "$work/x/usr/bin/linux.uml" "$new/host/"
}

# The payload of a boot image is a compressed ELF file (setup header of the x86 boot protocol); an emulated machine unpacks it slowly.
plain_kernel() { # IMAGE OUT
  local setup offset length
  setup=$(od -An -tu1 -j $((0x1f1)) -N1 "$1" | tr -d ' ')
  [ "$setup" != 0 ] || setup=4
  offset=$(od -An -tu4 -j $((0x248)) -N4 "$1" | tr -d ' ')
  length=$(od -An -tu4 -j $((0x24c)) -N4 "$1" | tr -d ' ')
  tail -c +$(((setup + 1) * 512 + offset + 1)) "$1" | head -c $((length - 4)) | lz4 -dcq >"$2" 2>/dev/null || true
  [ "$(head -c4 "$2" | tr -d '\177')" = ELF ] || cp "$1" "$2"
}

unpack_qemu() {
  local package version modules first=$work/first module
  command -v lz4 >/dev/null || { echo "missing: lz4 (apt-get install lz4)" >&2; exit 1; }
  candidate linux-image-cloud-amd64 || update
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -1)
  [ -n "$package" ] || { echo "apt offers no package linux-image-cloud-amd64" >&2; exit 1; }
  # shellcheck disable=SC2086
  load "$package" $tools
  arrange
  version=$(ls "$work/x/usr/lib/modules")
  mkdir -p "$work/d/lib"
  mv "$work/x/usr/lib/modules" "$work/d/lib/modules"
  "$new/host/busybox" depmod -b "$work/d" "$version"
  mv "$work/d/lib/modules" "$new/modules"
  plain_kernel "$(echo "$work"/x/boot/vmlinuz-*)" "$new/host/vmlinux"
  # A first file system: busybox, and what it takes to mount the share that is the host's root.
  modules=$new/modules/$version/kernel
  mkdir -p "$first"/{bin,mod,proc,new}
  cp "$new/host/busybox" "$first/bin/"
  for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci; do
    cp "$modules/drivers/virtio/$module.ko" "$first/mod/"
  done
  for module in fuse/fuse fuse/virtiofs overlayfs/overlay; do cp "$modules/fs/$module.ko" "$first/mod/"; done
  cat >"$first/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
for m in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci fuse virtiofs overlay; do
  $b insmod /mod/$m.ko
done
$b mount -t virtiofs host /new || { echo "the host's root cannot be mounted"; echo o >/proc/sysrq-trigger; $b sleep 60; }
$b umount /proc
exec $b switch_root /new "$VM_PARTS/host/busybox" sh "$VM_RUN/init"
INIT
  chmod +x "$first/init"
  (cd "$first" && find . | ./bin/busybox cpio -o -H newc 2>/dev/null) >"$new/host/initramfs.cpio"
}

"unpack_$kind"
touch "$new/complete-2"
mv -T "$new" "$dir"
echo "$dir"
