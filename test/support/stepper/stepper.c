/*
 * Runs a program until its Nth path system call that matches, changes the file system there, and lets it go on.
 *
 *   stepper [-l] [-n N] -m PATTERN -x A B -- PROGRAM…   exchanges A and B (renameat2(2))
 *   stepper [-l] [-n N] -m PATTERN -c COMMAND -- …      runs `sh -c COMMAND`, see below
 *   stepper -l [-m PATTERN] -- PROGRAM…                 only lists
 *
 * COMMAND has in its environment STEP_PID, the caller of the system call, STEP_CALL, what -l would list, and
 * STEP_PROGRAM, the pid of PROGRAM.
 *
 * PATTERN is an extended regular expression matched against "NAME PATH[ PATH]"; -l writes each match to standard
 * error as "step N NAME PATH". The call is stopped by a seccomp user notification when it is about to run, so what
 * is a race elsewhere happens here every time. Exit status: the program's; 96 when the step was never reached; 97
 * when the change failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "paths.h"

/* Linux 5.19: a notified caller is not interrupted by signals, which Go sends itself all the time. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { NEVER_FIRED = 96, CHANGE_FAILED = 97 };
enum outcome { WAITING, FIRING, FIRED, FAILED };

static struct {
  int list;
  long step;
  regex_t pattern;
  const char *exchange[2], *command;
  pid_t program;
} options = {.step = 1};

static void fail(const char *what) {
  perror(what);
  exit(CHANGE_FAILED);
}

static int run_command(int pid, const char *call) {
  pid_t child = fork();
  if (child == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", pid);
    setenv("STEP_PID", number, 1);
    setenv("STEP_CALL", call, 1);
    snprintf(number, sizeof number, "%d", options.program);
    setenv("STEP_PROGRAM", number, 1);
    execl("/bin/sh", "sh", "-c", options.command, NULL);
    _exit(127);
  }
  int status;
  waitpid(child, &status, 0);
  return status;
}

static enum outcome change(int pid, const char *call) {
  int failed = options.exchange[0]
                   ? renameat2(AT_FDCWD, options.exchange[0], AT_FDCWD, options.exchange[1], RENAME_EXCHANGE)
                   : run_command(pid, call);
  if (failed) fprintf(stderr, "stepper: cannot change at \"%s\": %s\n", call, strerror(errno));
  return failed ? FAILED : FIRED;
}

static void consider(const struct seccomp_notif *request, volatile enum outcome *outcome) {
  static long seen;
  char call[6 * 4096];
  describe(request, call, sizeof call);
  if (regexec(&options.pattern, call, 0, NULL, 0)) return;
  seen++;
  if (options.list) fprintf(stderr, "step %ld %s\n", seen, call);
  if (seen != options.step || !(options.exchange[0] || options.command)) return;
  *outcome = FIRING;
  *outcome = change(request->pid, call);
}

/* Answers until nobody is left under the filter, which may be long after the program itself has ended. */
static void supervise(int listener, volatile enum outcome *outcome) {
  struct pollfd poller = {listener, POLLIN, 0};
  while (poll(&poller, 1, -1) > 0 && !(poller.revents & POLLHUP)) {
    struct seccomp_notif request;
    memset(&request, 0, sizeof request); /* the kernel wants zeros */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request)) continue;
    consider(&request, outcome);
    struct seccomp_notif_resp reply = {request.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
  }
  _exit(0);
}

/* The child's half: install, tell which descriptor the listener is, wait until it was fetched, exec. */
static void become(char **program, int told, int go) {
  int numbers[PATH_CALL_COUNT];
  for (size_t i = 0; i < PATH_CALL_COUNT; i++) numbers[i] = PATH_CALLS[i].number;
  int listener = install_filter(numbers, PATH_CALL_COUNT, SECCOMP_RET_USER_NOTIF,
                                SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (listener < 0) fail("seccomp");
  char byte;
  if (write(told, &listener, sizeof listener) < 0 || read(go, &byte, 1) != 1) _exit(CHANGE_FAILED);
  close(listener);
  execvp(program[0], program);
  fail(program[0]);
}

static void parse(int argc, char **argv) {
  const char *pattern = ".";
  for (int option; (option = getopt(argc, argv, "+ln:m:x:c:")) != -1;) {
    if (option == 'l') options.list = 1;
    else if (option == 'n') options.step = atol(optarg);
    else if (option == 'm') pattern = optarg;
    else if (option == 'c') options.command = optarg;
    else if (option == 'x') options.exchange[0] = optarg, options.exchange[1] = argv[optind++];
    else exit(64);
  }
  if (regcomp(&options.pattern, pattern, REG_EXTENDED | REG_NOSUB) || optind >= argc) {
    fprintf(stderr, "usage: stepper [-l] [-n N] [-m PATTERN] [-x A B | -c COMMAND] -- PROGRAM…\n");
    exit(64);
  }
}

int main(int argc, char **argv) {
  parse(argc, argv);
  volatile enum outcome *outcome =
      mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int told[2], go[2], number;
  if (pipe2(told, O_CLOEXEC) || pipe2(go, O_CLOEXEC)) fail("pipe2");
  pid_t program = options.program = fork();
  if (program == 0) become(argv + optind, told[1], go[0]);
  if (read(told[0], &number, sizeof number) != sizeof number) fail("read");
  int handle = pidfd_open(program, 0);
  int listener = pidfd_getfd(handle, number, 0);
  if (listener < 0) fail("pidfd_getfd");
  if (fork() == 0) supervise(listener, outcome);
  close(listener);
  if (write(go[1], "g", 1) != 1) fail("write");
  int status;
  waitpid(program, &status, 0);
  while (*outcome == FIRING) usleep(1000); /* the change itself may have ended the program */
  if ((options.exchange[0] || options.command) && *outcome != FIRED)
    return *outcome == FAILED ? CHANGE_FAILED : NEVER_FIRED;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
