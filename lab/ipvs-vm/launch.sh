#!/bin/bash
# Starts the machine inside the namespaces that run.sh has made. BACKEND PARTS RUN MEMORY ISOLATED [WRITABLE-FOLDER...]
# Descriptors: 3 the command's output, 4 its error output, 5 the kernel's messages.
set -euo pipefail
backend=$1 parts=$2 run=$3 memory=$4 isolated=$5
shift 5

if [ "$isolated" = 1 ]; then
  mount --make-rprivate /
  for folder in "$run" "$@"; do mount --bind "$folder" "$folder"; done # these stay writable
  [ "$backend" = uml ] || mount -t tmpfs tmpfs /run                   # virtiofsd locks its socket there
  mount -o remount,bind,ro / 2>/dev/null || echo "the root could not be made read-only"
fi

if [ "$backend" = uml ]; then
  export TMPDIR=/dev/shm # the guest's memory is a deleted file there
  # What is left out only measures speeds or sets up file systems nobody mounts; it costs 2 s.
  "$parts/host/linux.uml" mem="${memory}M" rootfstype=hostfs rootflags=/ ro init="$parts/host/busybox" VM_RUN="$run" \
    uml_dir="$run/uml/" umid=vm quiet panic=-1 devtmpfs.mount=0 pty.legacy_count=0 \
    initcall_blacklist=raid6_select_algo,calibrate_xor_blocks,init_btrfs_fs,init_jfs_fs,init_zswap \
    con=null con0=null,fd:3 con1=null,fd:4 con2=null,fd:5 console=tty2 ssl=null \
    -- sh "$run/init" >&5 2>&5
  exit
fi

virtiofsd=
for file in /usr/lib/qemu/virtiofsd /usr/libexec/virtiofsd; do [ ! -x $file ] || { virtiofsd=$file; break; }; done
[ -n "$virtiofsd" ] || { echo "missing: virtiofsd (part of Debian's qemu-system-common, or its own package)"; exit 1; }
command -v qemu-system-x86_64 >/dev/null || { echo "missing: qemu-system-x86_64 (apt-get install qemu-system-x86)"; exit 1; }
"$virtiofsd" --socket-path="$run/fs.sock" -o source=/ -o sandbox=chroot -o cache=always 3>&- 4>&- 5>&- >"$run/virtiofsd.log" 2>&1 &
for _ in $(seq 200); do [ ! -S "$run/fs.sock" ] || break; sleep 0.02; done
accelerator=(-accel tcg,thread=multi -cpu max)
# A paravirtual /dev/kvm without these flags interprets the kernel, thousands of times too slowly.
if [ -w /dev/kvm ] && grep -qwE '^flags.*(vmx|svm)' /proc/cpuinfo; then accelerator=(-accel kvm -cpu qemu64); fi
qemu-system-x86_64 -M q35,hpet=off "${accelerator[@]}" -smp 2 -m "$memory" \
  -object memory-backend-memfd,id=mem,size="${memory}M",share=on -numa node,memdev=mem -nodefaults -display none -no-reboot \
  -chardev socket,id=fs,path="$run/fs.sock" -device vhost-user-fs-pci,chardev=fs,tag=host \
  -chardev file,id=k,path="$run/kernel.log" -chardev file,id=o,path="$run/out" -chardev file,id=e,path="$run/err" \
  -serial chardev:k -serial chardev:o -serial chardev:e -kernel "$parts/host/vmlinux" -initrd "$parts/host/initramfs.cpio" \
  -append "console=ttyS0 quiet panic=-1 nokaslr mitigations=off tsc=reliable clocksource=tsc no_timer_check random.trust_cpu=on VM_RUN=$run VM_PARTS=$parts"
