/* Where the process is: namespaces, mounts, names, cgroups, clocks, the root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* namespaces(7), the links of /proc/self/ns. */
static const char *const NAMESPACES[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

void report_namespaces(void) {
  json_open("namespaces", '{');
  for (unsigned i = 0; i < sizeof NAMESPACES / sizeof *NAMESPACES; i++) {
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", NAMESPACES[i]);
    ssize_t length = readlink(path, target, sizeof target);
    if (length > 0) json_bytes(NAMESPACES[i], target, length);
  }
  json_close('}');
}

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static void unescape(char *text) {
  char *to = text;
  for (char *from = text; *from; from++) {
    if (*from == '\\' && from[1] && from[2] && from[3]) {
      *to++ = (from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0');
      from += 3;
    } else {
      *to++ = *from;
    }
  }
  *to = 0;
}

static void report_list(const char *key, char *text, const char *separator) {
  json_open(key, '[');
  char *rest = NULL;
  for (char *part = strtok_r(text, separator, &rest); part; part = strtok_r(NULL, separator, &rest)) {
    unescape(part);
    json_string(NULL, part);
  }
  json_close(']');
}

static void report_field(const char *key, char *text) {
  unescape(text);
  json_string(key, text);
}

/* proc_pid_mountinfo(5): id parent major:minor root mountpoint options [optional…] - fstype source super */
static void report_mount(char *line) {
  char *dash = strstr(line, " - ");
  if (!dash) return;
  *dash = 0;
  char *rest = NULL, *field[6] = {0};
  for (int i = 0; i < 6; i++) field[i] = strtok_r(i ? NULL : line, " ", &rest);
  char *type = dash + 3, *after = NULL;
  type = strtok_r(type, " ", &after);
  char *source = strtok_r(NULL, " ", &after), *super = strtok_r(NULL, " \n", &after);
  if (!field[5] || !type || !source || !super) return;
  json_open(NULL, '{');
  report_field("destination", field[4]);
  json_string("type", type);
  report_field("source", source);
  report_field("root", field[3]);
  json_string("device", field[2]);
  report_list("options", field[5], ",");
  report_list("propagation", rest ? rest : (char[]){""}, " ");
  report_list("super", super, ",");
  json_close('}');
}

void report_mounts(void) {
  json_open("mounts", '[');
  FILE *file = fopen("/proc/self/mountinfo", "re");
  char *line = NULL;
  size_t size = 0;
  while (file && getline(&line, &size, file) > 0) report_mount(line);
  if (file) fclose(file);
  json_close(']');
}

void report_names(void) {
  struct utsname names;
  uname(&names);
  json_string("hostname", names.nodename);
  json_string("domainname", names.domainname);
  json_string("machine", names.machine);
  char cwd[PATH_SIZE];
  json_string("cwd", getcwd(cwd, sizeof cwd) ? cwd : error_name(errno));
}

void report_cgroups(void) {
  static char text[16384];
  json_open("cgroups", '[');
  if (read_text("/proc/self/cgroup", text, sizeof text) > 0)
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) json_string(NULL, line);
  json_close(']');
}

void report_clocks(void) {
  char text[256];
  json_string("timeOffsets", read_text("/proc/self/timens_offsets", text, sizeof text) < 0 ? "" : text);
  struct timespec now;
  json_open("clocks", '{');
  clock_gettime(CLOCK_MONOTONIC, &now);
  json_number("monotonic", now.tv_sec);
  clock_gettime(CLOCK_BOOTTIME, &now);
  json_number("boottime", now.tv_sec);
  clock_gettime(CLOCK_REALTIME, &now);
  json_number("realtime", now.tv_sec);
  json_close('}');
}

/* Makes a file in `directory` and removes it again. */
static void report_writable(const char *key, const char *directory) {
  char path[PATH_SIZE];
  snprintf(path, sizeof path, "%s/.probe-%d", directory, (int)getpid());
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  json_outcome(key, fd >= 0);
  if (fd < 0) return;
  close(fd);
  unlink(path);
}

void report_root(void) {
  struct stat root;
  json_open("root", '{');
  report_writable("write", "");
  json_string("mode", stat("/", &root) ? "" : ({ static char mode[8]; snprintf(mode, 8, "%o", root.st_mode & 07777); mode; }));
  json_open("entries", '[');
  struct dirent **names;
  int count = scandir("/", &names, NULL, alphasort);
  for (int i = 0; i < count; i++)
    if (names[i]->d_name[0] != '.') json_string(NULL, names[i]->d_name);
  json_close(']');
  json_close('}');
}
