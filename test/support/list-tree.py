"""Mounts layer images, the lowest first, where nobody else sees it, and prints what the merged tree holds.

    list-tree.py image IMAGE       as it is
    list-tree.py merge IMAGE...    by overlayfs
    list-tree.py walk DIRECTORY    without mounting anything

The listing is JSON, by path; names are byte strings in latin1. {"refused": ERRNO} if the kernel has no EROFS images
that are files. Node has no calls for any of this but walking.
"""
import ctypes
import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REC, MS_PRIVATE = 1, 0x4000, 1 << 18

TYPES = {
    stat.S_IFDIR: "directory",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
}


def check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mount(source, target, kind, flags=0, data=None):
    check(libc.mount(source.encode(), target.encode(), kind.encode(), flags, data and data.encode()))


def mount_image(image, target):
    try:
        mount(image, target, "erofs", MS_RDONLY)
    except OSError as error:
        if error.errno != errno.ENOTBLK:
            raise
        # Before Linux 6.12, and for files on a tmpfs: through a loop device, which goes with the mount.
        subprocess.run(["mount", "-t", "erofs", "-o", "loop,ro", image, target], check=True, capture_output=True)


def mount_all(images, merge):
    check(libc.unshare(CLONE_NEWNS))
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    # All mounts are beneath one that goes with the namespace; only an empty directory is left, and removed.
    base = tempfile.mkdtemp(prefix="hull-list-")
    try:
        mount("tmpfs", base, "tmpfs")
    except OSError:
        os.rmdir(base)
        raise
    layers = []
    for number, image in enumerate(images):
        layers.append(os.path.join(base, str(number)))
        os.mkdir(layers[-1])
        mount_image(image, layers[-1])
    if not merge:
        return base, layers[0]
    # Without an upper directory, overlayfs wants two lower ones.
    bottom, root = os.path.join(base, "bottom"), os.path.join(base, "root")
    os.mkdir(bottom)
    os.mkdir(root)
    mount("overlay", root, "overlay", MS_RDONLY, "lowerdir=" + ":".join([*reversed(layers), bottom]))
    return base, root


def describe(path):
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    seconds, nanoseconds = divmod(status.st_mtime_ns, 10**9)
    entry = {
        "type": TYPES.get(kind, "?"),
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "mtime": "%d.%09d" % (seconds, nanoseconds),
    }
    if kind != stat.S_IFDIR:
        entry["nlink"] = status.st_nlink
    if kind == stat.S_IFLNK:
        entry["target"] = os.readlink(path).decode("latin1")
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        entry["rdev"] = "%d:%d" % (os.major(status.st_rdev), os.minor(status.st_rdev))
    if kind == stat.S_IFREG:
        entry["size"] = status.st_size
        with open(path, "rb") as file:
            entry["sha256"] = hashlib.sha256(file.read()).hexdigest()
    names = sorted(os.listxattr(path, follow_symlinks=False))
    if names:
        entry["xattrs"] = {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in names}
    return entry


def walk(root):
    root = os.fsencode(root)
    listing = {"": describe(root)}
    for directory, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(directory, name)
            listing[path[len(root) + 1 :].decode("latin1")] = describe(path)
    return listing


def main(command, *arguments):
    if command == "walk":
        return walk(arguments[0])
    try:
        base, root = mount_all(arguments, command == "merge")
    except OSError as error:
        return {"refused": errno.errorcode.get(error.errno, str(error))}
    except subprocess.CalledProcessError as error:
        return {"refused": error.stderr.decode()}
    try:
        return walk(root)
    finally:
        check(libc.umount2(base.encode(), 2))  # MNT_DETACH
        os.rmdir(base)


print(json.dumps(main(*sys.argv[1:])))
