#!/bin/bash
# systemd_stand.sh PROJECT FOLDER: boots a systemd of its own in namespaces, on this machine's files under an overlay
# that is thrown away, runs FOLDER/inside.sh in it as root, and ends. There the project is /opt/signalbox and FOLDER is
# /mnt. Wants root, overlayfs and cgroup v2. Nothing is left behind.
set -euo pipefail

boot() {
  local project=$1 folder=$2 stand=$2/stand root=$2/stand/root
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$stand"
  mkdir "$stand"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=/,upperdir=$stand/upper,workdir=$stand/work" "$root"
  mkdir -p "$root/opt/signalbox" "$root/old"
  mount --bind "$project" "$root/opt/signalbox"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount --rbind /dev "$root/dev"
  mount --bind "$folder" "$root/mnt"
  # Of this machine's services only the journal starts.
  rm -rf "$root/etc/systemd/system" "$root/etc/signalbox"
  mkdir "$root/etc/systemd/system"
  for unit in "$root"/lib/systemd/system/sysinit.target.wants/*; do
    case $unit in *journal*) continue ;; esac
    ln -s /dev/null "$root/etc/systemd/system/${unit##*/}"
  done
  cat > "$root/etc/systemd/system/stand.service" <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=sysinit.target
After=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/bash /mnt/inside.sh
StandardOutput=append:/mnt/out.txt
StandardError=append:/mnt/err.txt
ExecStopPost=/bin/systemctl --no-block --force exit
UNIT
  cd "$root"
  pivot_root . old
  umount -l /old
  # As a container's manager has to: credentials are mounted from a namespace of their own.
  mount --make-rshared /
  exec env -i container=stand PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
    --system --unit=stand.service --show-status=no < /dev/null > /mnt/systemd.txt 2>&1
}

if [ "${3:-}" = boot ]; then boot "$1" "$2"; fi

# What it starts stays below a group of its own.
group=$(findmnt -n -o TARGET -t cgroup2 | head -1)/signalbox-stand-$$
home=$(dirname "$group")$(sed -n 's/^0:://p' /proc/self/cgroup)
rm -f "$2"/{out,err,systemd}.txt
mkdir "$group" "$2/stand"
leave() {
  echo $$ > "$home/cgroup.procs"
  # The kernel ends what is in the namespaces; a group can go when it has.
  while grep -q "populated 1" "$group/cgroup.events"; do sleep 0.05; done
  find "$group" -depth -type d -exec rmdir {} \;
  rmdir "$2/stand"
}
trap 'leave "$@"' EXIT
echo $$ > "$group/cgroup.procs"
timeout --kill-after=5 "${STAND_TIMEOUT_S:-60}" \
  unshare --fork --kill-child --pid --mount --uts --ipc --net --cgroup bash "$0" "$1" "$2" boot
