/* Small programs for tests that need a process of a certain behaviour, not a report. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

static void say(const char *text) {
  puts(text);
  fflush(stdout);
}

static int failed(const char *what, const char *subject) {
  printf("%s %s: %s\n", what, subject, error_name(errno));
  fflush(stdout);
  return 1;
}

static void leave(int number) { _exit(128 + number); }

/* sleep: says that it runs, then waits. PID 1 of a namespace dies of SIGTERM only if it has a handler for it. */
static int mode_sleep(int argc, char **argv) {
  (void)argc, (void)argv;
  signal(SIGTERM, leave);
  say("sleeping");
  while (1) pause();
  return 0;
}

static int mode_exit(int argc, char **argv) { return argc > 0 ? atoi(argv[0]) : 0; }

/* kill-self N: a child dies of signal N; exits with what a shell would make of that. */
static int mode_kill_self(int argc, char **argv) {
  int number = argc > 0 ? atoi(argv[0]) : SIGKILL;
  signal(number, SIG_DFL);
  pid_t child = fork();
  if (child == 0) {
    raise(number);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("%d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 0;
}

static int is_listed(const char *name, int count, char **names) {
  for (int i = 0; i < count; i++)
    if (!strcmp(name, names[i])) return 1;
  return 0;
}

/* signal-wait COUNT [NAME…]: prints the name of each of COUNT signals that arrive, NAMEs left out, then exits. */
static int mode_signal_wait(int argc, char **argv) {
  int count = argc > 0 ? atoi(argv[0]) : 1;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  say("ready");
  while (count > 0) {
    char name[16];
    int number;
    sigwait(&all, &number);
    if (sigabbrev_np(number)) snprintf(name, sizeof name, "SIG%s", sigabbrev_np(number));
    else snprintf(name, sizeof name, "%d", number);
    if (argc > 1 && is_listed(name, argc - 1, argv + 1)) continue;
    say(name);
    count--;
  }
  return 0;
}

/* window ROWS COLUMNS: waits until the terminal has that size. Runtimes set it when the process already runs. */
static int mode_window(int argc, char **argv) {
  if (argc < 2) return 2;
  sigset_t changed;
  sigemptyset(&changed);
  sigaddset(&changed, SIGWINCH);
  sigprocmask(SIG_BLOCK, &changed, NULL);
  say("ready");
  for (struct winsize now; !ioctl(0, TIOCGWINSZ, &now);) {
    if (now.ws_row == atoi(argv[0]) && now.ws_col == atoi(argv[1])) break;
    int number;
    sigwait(&changed, &number);
  }
  printf("%s %s\n", argv[0], argv[1]);
  return 0;
}

static int mode_cat(int argc, char **argv) {
  (void)argc, (void)argv;
  char buffer[65536];
  for (ssize_t length; (length = read(0, buffer, sizeof buffer)) > 0;)
    if (write(1, buffer, length) != length) return 1;
  return 0;
}

static int mode_write(int argc, char **argv) {
  if (argc < 2) return 2;
  int fd = open(argv[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return failed("open", argv[0]);
  if (write(fd, argv[1], strlen(argv[1])) < 0) return failed("write", argv[0]);
  say("written");
  return 0;
}

static int mode_read(int argc, char **argv) {
  if (argc < 1) return 2;
  char text[65536];
  if (read_text(argv[0], text, sizeof text) < 0) return failed("read", argv[0]);
  fputs(text, stdout);
  return 0;
}

static int mode_descriptors(int argc, char **argv) {
  (void)argc, (void)argv;
  json_open(NULL, '{');
  report_descriptors();
  json_close('}');
  json_end();
  return 0;
}

/* orphan: leaves a grandchild that sleeps in a session of its own, and says its pid. */
static int mode_orphan(int argc, char **argv) {
  (void)argc, (void)argv;
  pid_t child = fork();
  if (child == 0) {
    setsid();
    pid_t orphan = fork();
    while (orphan == 0) pause();
    printf("%d\n", (int)orphan);
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  say("sleeping");
  while (1) pause();
  return 0;
}

static int mode_ignore_term(int argc, char **argv) {
  (void)argc, (void)argv;
  signal(SIGTERM, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  say("ignoring");
  while (1) pause();
  return 0;
}

/* fd-write NUMBER TEXT: writes to a descriptor that the caller of the runtime passed on. */
static int mode_fd_write(int argc, char **argv) {
  if (argc < 2) return 2;
  if (write(atoi(argv[0]), argv[1], strlen(argv[1])) < 0) return failed("write", argv[0]);
  return 0;
}

/* lines: prints N lines to standard output and the same to standard error. */
static int mode_lines(int argc, char **argv) {
  int count = argc > 0 ? atoi(argv[0]) : 1;
  for (int i = 0; i < count; i++) {
    printf("out %d\n", i);
    fprintf(stderr, "err %d\n", i);
  }
  return 0;
}

/* stat PATH…: mode in octal and owner of each. */
static int mode_stat(int argc, char **argv) {
  for (int i = 0; i < argc; i++) {
    struct stat file;
    if (lstat(argv[i], &file)) printf("%s %s\n", argv[i], error_name(errno));
    else printf("%s %o %u:%u\n", argv[i], file.st_mode, file.st_uid, file.st_gid);
  }
  return 0;
}

const struct mode MODES[] = {
    {"sleep", mode_sleep},   {"exit", mode_exit},         {"kill-self", mode_kill_self}, {"signal-wait", mode_signal_wait},
    {"cat", mode_cat},       {"write", mode_write},       {"read", mode_read},           {"fds", mode_descriptors},
    {"orphan", mode_orphan}, {"ignore-term", mode_ignore_term},  {"fd-write", mode_fd_write},   {"lines", mode_lines},
    {"stat", mode_stat},     {"window", mode_window},     {NULL, NULL},
};
