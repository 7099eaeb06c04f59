/* The system calls that take paths, and what paths a stopped caller of one means. */
#ifndef PATHS_H
#define PATHS_H

#include <linux/seccomp.h>
#include <stddef.h>

#define NO_ARGUMENT (-1)

/* One path argument: which argument holds the directory descriptor (if any), and which the string. */
struct path_argument {
  signed char directory, string;
};

struct path_call {
  int number;
  const char *name;
  struct path_argument first, second;
};

extern const struct path_call PATH_CALLS[];
extern const size_t PATH_CALL_COUNT;

const struct path_call *path_call(int number);

/*
 * Writes "NAME PATH[ PATH]" for the call that `request` is about to make. A path is made absolute by the caller's
 * cwd or descriptor; one that goes through /proc/…/fd/N has " -> TARGET" behind it.
 */
void describe(const struct seccomp_notif *request, char *text, size_t size);

#endif
