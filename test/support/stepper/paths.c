#include "paths.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NONE {NO_ARGUMENT, NO_ARGUMENT}
#define AT(directory, string) {directory, string}
#define PLAIN(string) {NO_ARGUMENT, string}

/* Argument positions from the man page of each call. arm64 has only the *at forms. */
const struct path_call PATH_CALLS[] = {
#ifdef SYS_open
    {SYS_open, "open", PLAIN(0), NONE},
    {SYS_creat, "creat", PLAIN(0), NONE},
    {SYS_mkdir, "mkdir", PLAIN(0), NONE},
    {SYS_rmdir, "rmdir", PLAIN(0), NONE},
    {SYS_mknod, "mknod", PLAIN(0), NONE},
    {SYS_unlink, "unlink", PLAIN(0), NONE},
    {SYS_rename, "rename", PLAIN(0), PLAIN(1)},
    {SYS_link, "link", PLAIN(0), PLAIN(1)},
    {SYS_symlink, "symlink", PLAIN(0), PLAIN(1)},
    {SYS_readlink, "readlink", PLAIN(0), NONE},
    {SYS_chmod, "chmod", PLAIN(0), NONE},
    {SYS_chown, "chown", PLAIN(0), NONE},
    {SYS_lchown, "lchown", PLAIN(0), NONE},
    {SYS_stat, "stat", PLAIN(0), NONE},
    {SYS_lstat, "lstat", PLAIN(0), NONE},
    {SYS_access, "access", PLAIN(0), NONE},
#endif
    {SYS_openat, "openat", AT(0, 1), NONE},
    {SYS_openat2, "openat2", AT(0, 1), NONE},
    {SYS_mkdirat, "mkdirat", AT(0, 1), NONE},
    {SYS_mknodat, "mknodat", AT(0, 1), NONE},
    {SYS_unlinkat, "unlinkat", AT(0, 1), NONE},
    {SYS_renameat, "renameat", AT(0, 1), AT(2, 3)},
    {SYS_renameat2, "renameat2", AT(0, 1), AT(2, 3)},
    {SYS_linkat, "linkat", AT(0, 1), AT(2, 3)},
    {SYS_symlinkat, "symlinkat", PLAIN(0), AT(1, 2)},
    {SYS_readlinkat, "readlinkat", AT(0, 1), NONE},
    {SYS_fchmodat, "fchmodat", AT(0, 1), NONE},
    {SYS_fchownat, "fchownat", AT(0, 1), NONE},
    {452, "fchmodat2", AT(0, 1), NONE}, /* Linux 6.6, the same number everywhere */
    {SYS_newfstatat, "newfstatat", AT(0, 1), NONE},
    {SYS_statx, "statx", AT(0, 1), NONE},
    {SYS_faccessat, "faccessat", AT(0, 1), NONE},
    {SYS_faccessat2, "faccessat2", AT(0, 1), NONE},
    {SYS_utimensat, "utimensat", AT(0, 1), NONE},
    {SYS_truncate, "truncate", PLAIN(0), NONE},
    {SYS_statfs, "statfs", PLAIN(0), NONE},
    {SYS_setxattr, "setxattr", PLAIN(0), NONE},
    {SYS_lsetxattr, "lsetxattr", PLAIN(0), NONE},
    {SYS_chdir, "chdir", PLAIN(0), NONE},
    {SYS_fchdir, "fchdir", AT(0, NO_ARGUMENT), NONE},
    {SYS_chroot, "chroot", PLAIN(0), NONE},
    {SYS_pivot_root, "pivot_root", PLAIN(0), PLAIN(1)},
    {SYS_mount, "mount", PLAIN(0), PLAIN(1)},
    {SYS_umount2, "umount2", PLAIN(0), NONE},
    {SYS_open_tree, "open_tree", AT(0, 1), NONE},
    {SYS_move_mount, "move_mount", AT(0, 1), AT(2, 3)},
    {SYS_mount_setattr, "mount_setattr", AT(0, 1), NONE},
    {SYS_fspick, "fspick", AT(0, 1), NONE},
    {SYS_execve, "execve", PLAIN(0), NONE},
    {SYS_execveat, "execveat", AT(0, 1), NONE},
};
const size_t PATH_CALL_COUNT = sizeof PATH_CALLS / sizeof *PATH_CALLS;

const struct path_call *path_call(int number) {
  for (size_t i = 0; i < PATH_CALL_COUNT; i++)
    if (PATH_CALLS[i].number == number) return PATH_CALLS + i;
  return NULL;
}

/* One page at a time: the string may end just before an unmapped one. */
static void read_string(int memory, unsigned long address, char *text, size_t size) {
  size_t length = 0;
  while (address && length < size - 1) {
    size_t chunk = 4096 - (address + length) % 4096;
    if (chunk > size - 1 - length) chunk = size - 1 - length;
    ssize_t count = pread(memory, text + length, chunk, address + length);
    if (count <= 0) break;
    if (memchr(text + length, 0, count)) return;
    length += count;
  }
  text[length] = 0;
}

static void read_link(char *text, size_t size, const char *format, int pid, int fd) {
  char path[64];
  snprintf(path, sizeof path, format, pid, fd);
  ssize_t length = readlink(path, text, size - 1);
  text[length < 0 ? 0 : length] = 0;
}

/* "/proc/self/fd/7", "/proc/thread-self/fd/7/x": where that leads. */
static void append_magic(char *text, size_t size, int pid) {
  char *fd = strncmp(text, "/proc/", 6) ? NULL : strstr(text, "/fd/"), *rest, target[2 * PATH_MAX];
  if (!fd) return;
  long number = strtol(fd + 4, &rest, 10);
  read_link(target, PATH_MAX, "/proc/%d/fd/%d", pid, number);
  strncat(target, rest, PATH_MAX - 1);
  size_t length = strlen(text);
  snprintf(text + length, size - length, " -> %s", target);
}

static void resolve(const struct seccomp_notif *request, struct path_argument argument, int memory, char *text,
                    size_t size) {
  char string[PATH_MAX] = "", base[PATH_MAX] = "";
  if (argument.string != NO_ARGUMENT) read_string(memory, request->data.args[argument.string], string, sizeof string);
  if (string[0] != '/') {
    int fd = argument.directory == NO_ARGUMENT ? AT_FDCWD : (int)request->data.args[argument.directory];
    if (fd == AT_FDCWD) read_link(base, sizeof base, "/proc/%d/cwd", request->pid, 0);
    else read_link(base, sizeof base, "/proc/%d/fd/%d", request->pid, fd);
  }
  snprintf(text, size, "%s%s%s", base, base[0] && string[0] ? "/" : "", string);
  append_magic(text, size, request->pid);
}

void describe(const struct seccomp_notif *request, char *text, size_t size) {
  const struct path_call *call = path_call(request->data.nr);
  char path[64], first[3 * PATH_MAX] = "", second[3 * PATH_MAX] = "";
  snprintf(path, sizeof path, "/proc/%d/mem", request->pid);
  int memory = open(path, O_RDONLY | O_CLOEXEC);
  resolve(request, call->first, memory, first, sizeof first);
  if (call->second.string != NO_ARGUMENT) resolve(request, call->second, memory, second, sizeof second);
  if (memory >= 0) close(memory);
  snprintf(text, size, "%s %s%s%s", call->name, first, second[0] ? " " : "", second);
}
