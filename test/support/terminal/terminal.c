/*
 * The other end of a container's terminal.
 *
 *   terminal receive SOCKET            listens on SOCKET as an engine does, takes one console from a runtime, and
 *                                      relays it. Standard error: "listening", then
 *                                      "received NAME DESCRIPTORS MAJOR:MINOR FILESYSTEM-MAGIC"
 *   terminal run ROWS COLUMNS -- ARG…  runs a program on a new pseudo-terminal, relays it, exits with its status.
 *                                      SIGUSR1 adds ten rows and ten columns
 *
 * Relaying: standard input goes to the terminal until it ends, what the terminal prints goes to standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than a runtime may send (one), so that a test sees it if it sends more. */
#define DESCRIPTORS_MAX 16

/* Ends the relay: the leader of the session prints it when the program is done (ASCII's record separator). */
#define END 0x1e

static int relayed = -1;

static void fail(const char *what) {
  perror(what);
  exit(97);
}

static void grow(int number) {
  (void)number;
  struct winsize size;
  ioctl(relayed, TIOCGWINSZ, &size);
  size.ws_row += 10;
  size.ws_col += 10;
  ioctl(relayed, TIOCSWINSZ, &size);
}

/* Writes what came, up to END; whether that was there. */
static int show(const char *text, size_t length) {
  const char *end = memchr(text, END, length);
  size_t count = end ? (size_t)(end - text) : length;
  return write(1, text, count) != (ssize_t)count || end;
}

static void relay(int master) {
  relayed = master;
  struct sigaction action = {.sa_handler = grow, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  struct pollfd from[] = {{master, POLLIN, 0}, {0, POLLIN, 0}};
  char buffer[65536];
  for (;;) {
    if (poll(from, 2, -1) < 0) continue;
    if (from[0].revents) {
      ssize_t length = read(master, buffer, sizeof buffer);
      if (length <= 0 || show(buffer, length)) return; /* EIO: the last slave has closed */
    }
    if (!from[1].revents) continue;
    ssize_t length = read(0, buffer, sizeof buffer);
    if (length <= 0) from[1].fd = -1;
    else if (write(master, buffer, length) != length) return;
  }
}

static int receive(int connection) {
  char name[4097] = "", control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
  struct iovec part = {name, sizeof name - 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(connection, &message, 0) < 0) fail("recvmsg");
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) {
    fprintf(stderr, "received \"%s\" without a descriptor\n", name);
    exit(96);
  }
  int *descriptors = (int *)CMSG_DATA(header), count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  struct stat terminal;
  struct statfs system;
  if (fstat(descriptors[0], &terminal) || fstatfs(descriptors[0], &system)) fail("fstat");
  fprintf(stderr, "received %s %d %u:%u %lx\n", name, count, major(terminal.st_rdev), minor(terminal.st_rdev),
          (long)system.f_type);
  return descriptors[0];
}

static int receive_console(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) fail(path);
  fprintf(stderr, "listening\n");
  int connection = accept(listener, NULL, NULL);
  if (connection < 0) fail("accept");
  relay(receive(connection));
  return 0;
}

/*
 * The leader of the session, with the program as its child: when a leader ends, the terminal is hung up, and what
 * was printed is lost unless somebody has read it. So it stays until `drained` is closed.
 */
static void lead(char **program, int drained) {
  pid_t child = fork();
  if (child == 0) {
    execvp(program[0], program);
    fail(program[0]);
  }
  for (int number = 1; number < NSIG; number++)
    if (number != SIGCHLD && number != SIGKILL && number != SIGSTOP) signal(number, SIG_IGN);
  int status;
  while (waitpid(child, &status, 0) != child) continue;
  char end = END;
  if (write(1, &end, 1) != 1 || read(drained, &end, 1) != 0) _exit(97);
  _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static int run(char **arguments) {
  struct winsize size = {.ws_row = atoi(arguments[0]), .ws_col = atoi(arguments[1])};
  int master, drained[2];
  if (pipe2(drained, O_CLOEXEC)) fail("pipe2");
  pid_t leader = forkpty(&master, NULL, NULL, &size);
  if (leader < 0) fail("forkpty");
  if (leader == 0) {
    close(drained[1]);
    lead(arguments + 3, drained[0]);
  }
  relay(master);
  close(drained[1]);
  int status;
  waitpid(leader, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "receive")) return receive_console(argv[2]);
  if (argc > 5 && !strcmp(argv[1], "run") && !strcmp(argv[4], "--")) return run(argv + 2);
  fprintf(stderr, "usage: terminal receive SOCKET | terminal run ROWS COLUMNS -- PROGRAM…\n");
  return 64;
}
