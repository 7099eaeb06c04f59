# Tries what it is told to on device nodes, one JSON list of attempts a line, and says which the kernel let through.
#
# An attempt is [node, access, type, major, minor]. Access 1 is mknod, the others are open: 2 reads, 4 writes, 6 both.
# A device that no driver has answers ENXIO (or ENODEV) once the devices cgroup has let the open pass, else EPERM.
import errno, json, os, stat, sys

OPEN = {2: os.O_RDONLY, 4: os.O_WRONLY, 6: os.O_RDWR}
TYPE = {"c": stat.S_IFCHR, "b": stat.S_IFBLK}


def attempt(node, access, kind, major, minor):
    try:
        if access == 1:
            os.mknod(node + ".new", TYPE[kind] | 0o600, os.makedev(major, minor))
            os.unlink(node + ".new")
        else:
            os.close(os.open(node, OPEN[access] | os.O_NONBLOCK | os.O_NOCTTY))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "OK"


for line in sys.stdin:
    print(json.dumps([attempt(*one) for one in json.loads(line)]), flush=True)
