/*
 * What hostile containers try, as far as a test needs a program for it. Nothing here changes what it reaches:
 * a file opened for writing is closed again, and success is only reported.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static const char *outcome(int ok) { return ok ? "ok" : error_name(errno); }

/* The container's own programs: what they are is no secret, and that they can be written is the image's matter. */
static int is_own_program(const char *path) {
  static const char *const OWN[] = {"/bin/probe", "/bin/busybox"};
  struct stat found, own;
  if (stat(path, &found)) return 0;
  for (unsigned i = 0; i < sizeof OWN / sizeof *OWN; i++)
    if (!stat(OWN[i], &own) && own.st_dev == found.st_dev && own.st_ino == found.st_ino) return 1;
  return 0;
}

static volatile sig_atomic_t stopped;
static void stop(int number) { stopped = number; }

/* Calls `visit` with every process but this one, again and again, until SIGTERM or for `seconds`. */
static int watch(int argc, char **argv, void (*visit)(const char *pid)) {
  time_t end = time(NULL) + (argc > 0 ? atoi(argv[0]) : 10);
  signal(SIGTERM, stop);
  puts("watching");
  fflush(stdout);
  char self[16];
  snprintf(self, sizeof self, "%d", (int)getpid());
  while (!stopped && time(NULL) < end) {
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; processes && (entry = readdir(processes));)
      if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && strcmp(entry->d_name, self)) visit(entry->d_name);
    if (processes) closedir(processes);
  }
  puts("done");
  return 0;
}

/* watch-exe [SECONDS]: opens the program of each process, and that again for writing: CVE-2019-5736. */
static void visit_exe(const char *pid) {
  char path[64], target[PATH_SIZE], own[64];
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
  if (!is_own_program(own)) {
    ssize_t length = readlink(own, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    int writable = open(own, O_WRONLY | O_CLOEXEC);
    printf("exe %s write %s\n", target, outcome(writable >= 0));
    fflush(stdout);
    if (writable >= 0) close(writable);
  }
  close(fd);
}

static int attack_watch_exe(int argc, char **argv) { return watch(argc, argv, visit_exe); }

/* A link's target, or a file's first byte. */
static int can_look(const char *path) {
  char byte;
  if (readlink(path, &byte, 1) >= 0) return 1;
  if (errno != EINVAL) return 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return 0;
  ssize_t length = read(fd, &byte, 1);
  int error = errno;
  close(fd);
  errno = length == 0 ? ENODATA : error;
  return length > 0;
}

/* Attaches to a process and lets it go again; it has to be stopped for that, or it would never be reaped. */
static int can_trace(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, 0, 0)) return 0;
  ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  waitpid(pid, NULL, __WALL);
  ptrace(PTRACE_DETACH, pid, 0, 0);
  return 1;
}

/* watch-processes [SECONDS]: what can be seen of processes that do not run a program of the container's yet. */
static void visit_process(const char *pid) {
  /* mem can be opened but not read at address 0: EIO says that one is in. */
  static const char *const FILES[] = {"exe",     "cwd",  "root", "fd/0", "fd/1", "fd/2", "fd/3",  "fd/4",
                                      "environ", "maps", "mem",  "auxv", "stack", "syscall"};
  enum { COUNT = sizeof FILES / sizeof *FILES };
  char path[64], process[32];
  int errors[COUNT + 1];
  snprintf(process, sizeof process, "/proc/%s", pid);
  snprintf(path, sizeof path, "%s/exe", process);
  if (is_own_program(path)) return;
  for (unsigned i = 0; i < COUNT; i++) {
    char file[64];
    snprintf(file, sizeof file, "%s/%s", process, FILES[i]);
    errors[i] = can_look(file) || errno == EIO ? 0 : errno;
  }
  errors[COUNT] = can_trace(atoi(pid)) ? 0 : errno;
  /* It may have become a program of the container's, or have ended (ENOENT), while it was looked at. */
  char target;
  if (is_own_program(path) || (readlink(path, &target, 1) < 0 && errno == ENOENT)) return;
  for (unsigned i = 0; i <= COUNT; i++)
    printf("%s %s %s\n", errors[i] ? "refused" : "seen", i < COUNT ? FILES[i] : "ptrace", error_name(errors[i]));
  fflush(stdout);
}

static int attack_watch_processes(int argc, char **argv) { return watch(argc, argv, visit_process); }

/* inject TEXT: puts text into the input of whatever terminal can be reached: CVE-2017-5226. */
static int attack_inject(int argc, char **argv) {
  const char *text = argc > 0 ? argv[0] : "injected\n";
  int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  printf("open /dev/tty %s\n", outcome(tty >= 0));
  for (int fd = 0; fd < 3; fd++) {
    printf("take %d %s\n", fd, outcome(ioctl(fd, TIOCSCTTY, 1) == 0));
    int ok = 1;
    for (const char *c = text; ok && *c; c++) ok = ioctl(fd, TIOCSTI, c) == 0;
    printf("inject %d %s\n", fd, outcome(ok));
    char paste[] = {3}; /* TIOCL_PASTESEL */
    printf("paste %d %s\n", fd, outcome(ioctl(fd, TIOCLINUX, paste) == 0));
  }
  fflush(stdout);
  return 0;
}

const struct mode ATTACKS[] = {
    {"watch-exe", attack_watch_exe},
    {"watch-processes", attack_watch_processes},
    {"inject", attack_inject},
    {NULL, NULL},
};
