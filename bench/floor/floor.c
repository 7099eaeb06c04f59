// The floor of container-life.bench.ts: the container of hull's default config, made by the system calls that it needs
// and nothing else. No config is read, no state kept, nothing checked that the kernel does not check.
//
//   floor ROOTFS HIERARCHY CGROUP FILTER COUNT
//
// makes COUNT containers, one after another, and prints the milliseconds that they took. HIERARCHY is a cgroup2 mount,
// CGROUP the path of a directory to make in it, and FILTER a file with the instructions of its device filter.
#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(call) ({ long result_ = (long)(call); if (result_ < 0) err(1, "%s", #call); result_; })
#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV)
#define CLONED (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)

static const char *rootfs, *hierarchy, *cgroup;
static struct bpf_insn filter[BPF_MAXINSNS];
static unsigned filter_length;

static const char *const masked[] = {
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi", NULL};
static const char *const read_only[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};
static const struct { const char *path; unsigned major, minor; } devices[] = {
    {"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
static const char *const links[][2] = {
    {"/proc/self/fd", "/dev/fd"}, {"/proc/self/fd/0", "/dev/stdin"}, {"/proc/self/fd/1", "/dev/stdout"},
    {"/proc/self/fd/2", "/dev/stderr"}, {"pts/ptmx", "/dev/ptmx"}};

static void attach(int tree, const char *target) {
  MUST(move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
  close(tree);
}

static void restrict_mount(int tree, uint64_t attributes) {
  struct mount_attr attr = {.attr_set = attributes};
  MUST(mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr));
}

// `options` is NAME, VALUE, NAME, VALUE, ...; a NULL for VALUE is a flag.
static int make(const char *type, unsigned attributes, const char *const *options) {
  int fs = MUST(fsopen(type, FSOPEN_CLOEXEC));
  for (; *options != NULL; options += 2)
    MUST(fsconfig(fs, options[1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options[0], options[1], 0));
  MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  int tree = MUST(fsmount(fs, FSMOUNT_CLOEXEC, attributes));
  close(fs);
  return tree;
}
#define MAKE(type, attributes, ...) make(type, attributes, (const char *const[]){__VA_ARGS__, NULL})

static void loopback_up(void) {
  struct ifreq lo = {.ifr_name = "lo"};
  int socket_fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  MUST(ioctl(socket_fd, SIOCGIFFLAGS, &lo));
  lo.ifr_flags |= IFF_UP;
  MUST(ioctl(socket_fd, SIOCSIFFLAGS, &lo));
  close(socket_fd);
}

static void enter_root(void) {
  MUST(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
  int root = MUST(open_tree(AT_FDCWD, rootfs, CLONED | AT_RECURSIVE));
  int groups = MUST(open_tree(AT_FDCWD, hierarchy, CLONED));
  MUST(move_mount(root, "", AT_FDCWD, rootfs, MOVE_MOUNT_F_EMPTY_PATH));
  MUST(fchdir(root));
  MUST(syscall(SYS_pivot_root, ".", "."));
  MUST(umount2(".", MNT_DETACH));
  MUST(chdir("/"));
  attach(MAKE("proc", 0, "source", "proc"), "/proc");
  attach(MAKE("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME, "source", "tmpfs", "mode", "755", "size", "65536k"), "/dev");
  MUST(mkdir("/dev/pts", 0755));
  MUST(mkdir("/dev/shm", 0755));
  MUST(mkdir("/dev/mqueue", 0755));
  attach(MAKE("devpts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "source", "devpts", "newinstance", NULL, "ptmxmode", "0666", "mode", "0620", "gid", "5"), "/dev/pts");
  attach(MAKE("tmpfs", QUIET, "source", "shm", "mode", "1777", "size", "65536k"), "/dev/shm");
  attach(MAKE("mqueue", QUIET, "source", "mqueue"), "/dev/mqueue");
  attach(MAKE("sysfs", QUIET | MOUNT_ATTR_RDONLY, "source", "sysfs", "ro", NULL), "/sys");
  restrict_mount(groups, QUIET | MOUNT_ATTR_RDONLY);
  attach(groups, "/sys/fs/cgroup");
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
    MUST(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)));
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) MUST(symlink(links[i][0], links[i][1]));
  restrict_mount(root, MOUNT_ATTR_RDONLY);
}

static void cover_paths(void) {
  for (const char *const *path = read_only; *path != NULL; path++) {
    int tree = open_tree(AT_FDCWD, *path, CLONED | AT_RECURSIVE);
    if (tree < 0) continue;
    restrict_mount(tree, MOUNT_ATTR_RDONLY);
    attach(tree, *path);
  }
  int empty = MAKE("tmpfs", MOUNT_ATTR_RDONLY, "source", "tmpfs", "size", "0", "nr_inodes", "1", "ro", NULL);
  int attached = 0;
  struct stat info;
  for (const char *const *path = masked; *path != NULL; path++) {
    if (stat(*path, &info) < 0) continue;
    if (!S_ISDIR(info.st_mode)) attach(MUST(open_tree(AT_FDCWD, "/dev/null", CLONED)), *path);
    else attach(attached++ == 0 ? dup(empty) : MUST(open_tree(empty, "", CLONED | AT_EMPTY_PATH)), *path);
  }
}

static void drop_privileges(void) {
  const uint32_t kept = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
  struct rlimit files = {1024, 1024};
  MUST(setrlimit(RLIMIT_NOFILE, &files));
  for (unsigned bit = 0; bit < 64; bit++)
    if ((bit >= 32 || !(kept & 1u << bit)) && prctl(PR_CAPBSET_DROP, bit) < 0) break;
  MUST(syscall(SYS_setgroups, 0, NULL));
  MUST(syscall(SYS_setresgid, 0, 0, 0));
  MUST(syscall(SYS_setresuid, 0, 0, 0));
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{.effective = kept, .permitted = kept}};
  MUST(syscall(SYS_capset, &header, sets));
  MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  umask(022);
  MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void contain(void) {
  char *argv[] = {"/bin/true", NULL};
  char *envp[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "HOME=/", NULL};
  umask(0);
  MUST(setsid());
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
  loopback_up();
  MUST(sethostname("hull", 4));
  enter_root();
  cover_paths();
  drop_privileges();
  MUST(close_range(3, ~0u, CLOSE_RANGE_CLOEXEC));
  MUST(execve(argv[0], argv, envp));
}

static int make_cgroup(void) {
  MUST(mkdir(cgroup, 0755));
  int group = MUST(open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insn_cnt = filter_length,
                         .insns = (uintptr_t)filter, .license = (uintptr_t) "Apache-2.0"};
  int program = MUST(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load));
  union bpf_attr join = {.target_fd = group, .attach_bpf_fd = program, .attach_type = BPF_CGROUP_DEVICE,
                         .attach_flags = BPF_F_ALLOW_MULTI};
  MUST(syscall(SYS_bpf, BPF_PROG_ATTACH, &join, sizeof join));
  close(program);
  return group;
}

static void live(void) {
  int group = make_cgroup(), status;
  struct clone_args args = {.flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_INTO_CGROUP,
                            .exit_signal = SIGCHLD, .cgroup = group};
  pid_t pid = MUST(syscall(SYS_clone3, &args, sizeof args));
  if (pid == 0) contain();
  close(group);
  MUST(waitpid(pid, &status, 0));
  MUST(rmdir(cgroup));
  if (status != 0) errx(1, "the container ended with status %#x", status);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 6) errx(2, "usage: floor ROOTFS HIERARCHY CGROUP FILTER COUNT");
  rootfs = argv[1];
  hierarchy = argv[2];
  cgroup = argv[3];
  int file = MUST(open(argv[4], O_RDONLY | O_CLOEXEC));
  filter_length = MUST(read(file, filter, sizeof filter)) / sizeof *filter;
  close(file);
  double start = now();
  for (int count = atoi(argv[5]); count > 0; count--) live();
  printf("%.3f\n", now() - start);
}
