#!/usr/bin/env bash
# A container store of its own, with stand-ins for python:X.Y-slim and for uv's image: no registry of images is asked.
# The base is Debian's packages, unpacked by mmdebstrap, with this machine's Python in /usr/local, as in the official image.
#   tests/image/base.sh FOLDER PYTHON UV     then: export CONTAINERS_STORAGE_CONF=FOLDER/storage.conf
#                                                         CONTAINERS_CONF=FOLDER/containers.conf
# Needs root and: apt-get install -y podman runc mmdebstrap. A second call takes the base from FOLDER/*.tar.
set -euo pipefail
folder=$1 python=$2 uv=$3
mkdir -p "$folder"
export CONTAINERS_STORAGE_CONF=$folder/storage.conf CONTAINERS_CONF=$folder/containers.conf

cat > "$CONTAINERS_STORAGE_CONF" <<TEXT
[storage]
driver = "overlay"
runroot = "$folder/runroot"
graphroot = "$folder/graphroot"
TEXT
# In a machine without systemd and with limits of its own, podman's defaults are refused.
files=$(ulimit -Hn)
[ "$files" = unlimited ] && files=65536
cat > "$CONTAINERS_CONF" <<TEXT
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=20000:20000"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
TEXT

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
tarball=$folder/python-$version-$suite.tar

packages=base-files,base-passwd,bash,coreutils,dash,debianutils,findutils,grep,gzip,libc-bin,mawk,sed,tar,util-linux
packages=$packages,ca-certificates,netbase,tzdata,libbz2-1.0,libexpat1,libffi8,libgomp1,liblzma5,libncursesw6
packages=$packages,libreadline8,libsqlite3-0,libssl3,libstdc++6,libuuid1,zlib1g

if [ ! -s "$tarball" ]; then
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    fs=$root/fs
    # `extract` runs no package's scripts: what these would have done, and is needed, follows.
    TMPDIR=$root mmdebstrap --quiet --mode=root --variant=extract --include="$packages" "$suite" "$fs"
    mkdir -p "$fs"/usr/local/{bin,lib} "$fs"/{proc,sys,dev,run,tmp,root,home} "$fs"/var/tmp
    chmod 1777 "$fs/tmp" "$fs/var/tmp"
    cp "$fs/usr/share/base-passwd/passwd.master" "$fs/etc/passwd"
    cp "$fs/usr/share/base-passwd/group.master" "$fs/etc/group"
    [ -e "$fs/usr/bin/awk" ] || ln -s mawk "$fs/usr/bin/awk"
    [ -e "$fs/bin/sh" ] || ln -s dash "$fs/bin/sh"
    cat "$fs"/usr/share/ca-certificates/mozilla/*.crt > "$fs/etc/ssl/certs/ca-certificates.crt"
    (cd "$prefix" && tar -cf - --exclude=test --exclude=tests --exclude=idlelib --exclude=__pycache__ --exclude='*.a' \
        --exclude="lib/python$version/site-packages" --exclude="lib/python$version/dist-packages" \
        "bin/python$version" "lib/python$version" $(cd "$prefix" && ls lib/libpython"$version"* 2>/dev/null || true)) |
        tar -xf - -C "$fs/usr/local"
    mkdir -p "$fs/usr/local/lib/python$version/site-packages"
    ln -sf "python$version" "$fs/usr/local/bin/python3"
    rm -rf "$fs"/usr/share/{man,locale,info,doc}/* "$fs"/var/cache/apt/* "$fs"/var/lib/apt/lists/* "$fs"/dev/*
    chroot "$fs" /sbin/ldconfig
    chroot "$fs" /usr/local/bin/python3 -m compileall -q /usr/local/lib >/dev/null || true
    tar --sort=name --mtime=@0 --numeric-owner -C "$fs" -cf "$tarball.part" .
    mv "$tarball.part" "$tarball"
fi

image=docker.io/library/python:$version-slim
podman image exists "$image" || podman import -q -c 'CMD ["python3"]' \
    -c 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'ENV LANG=C.UTF-8' "$tarball" "$image" >/dev/null
uvs=ghcr.io/astral-sh/uv:$("$uv" --version | awk '{print $2}')
if ! podman image exists "$uvs"; then
    mkdir -p "$folder/uv"
    cp "$uv" "$folder/uv/uv"
    printf 'FROM scratch\nCOPY uv /uv\n' > "$folder/uv/Dockerfile"
    podman build -q -t "$uvs" "$folder/uv" >/dev/null
fi
echo "$image"
