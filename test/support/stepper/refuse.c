/*
 * refuse NAME[,NAME…] -- PROGRAM…: runs a program to which the kernel seems not to have those system calls (ENOSYS),
 * as on an older kernel or under an older engine's seccomp profile.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

/* The calls that runtimes have fallbacks for. */
static const struct {
  const char *name;
  int number;
} CALLS[] = {
    {"openat2", SYS_openat2},       {"open_tree", SYS_open_tree},     {"move_mount", SYS_move_mount},
    {"fsopen", SYS_fsopen},         {"fsmount", SYS_fsmount},         {"mount_setattr", SYS_mount_setattr},
    {"clone3", SYS_clone3},         {"close_range", SYS_close_range}, {"pidfd_open", SYS_pidfd_open},
    {"faccessat2", SYS_faccessat2}, {"bpf", SYS_bpf},                 {"pidfd_send_signal", SYS_pidfd_send_signal},
};
#define CALL_COUNT (sizeof CALLS / sizeof *CALLS)

static int number_of(const char *name) {
  for (size_t i = 0; i < CALL_COUNT; i++)
    if (!strcmp(CALLS[i].name, name)) return CALLS[i].number;
  fprintf(stderr, "refuse: no system call \"%s\" in the list\n", name);
  exit(64);
}

int main(int argc, char **argv) {
  if (argc < 4 || strcmp(argv[2], "--")) return 64;
  int numbers[CALL_COUNT];
  size_t count = 0;
  for (char *name = strtok(argv[1], ","); name && count < CALL_COUNT; name = strtok(NULL, ","))
    numbers[count++] = number_of(name);
  if (install_filter(numbers, count, SECCOMP_RET_ERRNO | ENOSYS, 0)) {
    perror("seccomp");
    return 97;
  }
  execvp(argv[3], argv + 3);
  perror(argv[3]);
  return 127;
}
