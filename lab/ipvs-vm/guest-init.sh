# First process of the guest, run by a static busybox. Its root is the host's file system, read-only; $VM_RUN is the folder in which
# run.sh left what to do and awaits the exit status. Sourced from there: backend, parts, out, err, modules, and as $1... the writable folders.
run=$VM_RUN
. "$run/config"
# By its path: /proc is the host's until then, and with it /proc/self/exe, by which busybox finds its own commands.
"$parts/host/busybox" mount -t proc proc /proc
off() { echo o >/proc/sysrq-trigger; while :; do sleep 60; done; }

# A writable root: memory, with the tools in it, on top of the host's files.
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -p /mnt/up/usr/lib/modules /mnt/up/.host /mnt/work /mnt/new
cp -a "$parts/tools/." /mnt/up/usr/
[ "$backend" != uml ] || insmod "$parts"/modules/*/kernel/fs/overlayfs/overlay.ko
mount -t overlay -o "lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work" overlay /mnt/new || off
cd /mnt/new && pivot_root . .host || off
cd /
"/.host$parts/host/busybox" mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -o bind "/.host$parts/modules" /usr/lib/modules

share() { # HOST-FOLDER MOUNT-POINT, writable
  mkdir -p "$2"
  if [ "$backend" = uml ]; then mount -t hostfs -o "$1" none "$2"; else mount -o bind "/.host$1" "$2"; fi
}
share "$run" /run/vm
for folder; do share "$folder" "$folder"; done
[ "$backend" = uml ] || mount -o remount,bind,ro /.host

echo ipvs-vm >/proc/sys/kernel/hostname
ifconfig lo up
modprobe -a $modules

# The command sees pipes, no terminal; what it says goes to two consoles of the machine.
stty -F "$out" raw -echo
stty -F "$err" raw -echo
mkfifo /run/o /run/e
cat /run/o >"$out" & p1=$!
cat /run/e >"$err" & p2=$!
: >/run/vm/started
sh /run/vm/command </dev/null >/run/o 2>/run/e &
wait $!
status=$?
n=0
# What it has left running may hold the pipes open; no more than 2 s for that.
while { kill -0 $p1 || kill -0 $p2; } 2>/dev/null && [ $n -lt 40 ]; do sleep 0.05; n=$((n + 1)); done
stty -F "$out" raw -echo # waits for the consoles
stty -F "$err" raw -echo
echo $status >/run/vm/status
off
