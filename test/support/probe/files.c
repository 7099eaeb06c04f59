/* What the process can reach by name or number: device nodes, open descriptors, chosen paths and sysctls, the terminal. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "probe.h"

static const char *type_name(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG: return "file";
  case S_IFDIR: return "directory";
  case S_IFLNK: return "symlink";
  case S_IFCHR: return "character";
  case S_IFBLK: return "block";
  case S_IFIFO: return "fifo";
  case S_IFSOCK: return "socket";
  default: return "anonymous";
  }
}

static void report_device_number(mode_t mode, dev_t device) {
  if (!S_ISCHR(mode) && !S_ISBLK(mode)) return;
  char number[32];
  snprintf(number, sizeof number, "%u:%u", major(device), minor(device));
  json_string("device", number);
}

static void report_device(const char *name) {
  char path[PATH_SIZE], target[PATH_SIZE];
  struct stat node;
  snprintf(path, sizeof path, "/dev/%s", name);
  if (lstat(path, &node)) return;
  json_open(name, '{');
  json_string("type", type_name(node.st_mode));
  char mode[8];
  snprintf(mode, sizeof mode, "%04o", node.st_mode & 07777);
  json_string("mode", mode);
  json_number("uid", node.st_uid);
  json_number("gid", node.st_gid);
  report_device_number(node.st_mode, node.st_rdev);
  ssize_t length = S_ISLNK(node.st_mode) ? readlink(path, target, sizeof target) : -1;
  if (length >= 0) json_bytes("target", target, length);
  json_close('}');
}

void report_devices(void) {
  struct dirent **names;
  int count = scandir("/dev", &names, NULL, alphasort);
  json_open("devices", '{');
  for (int i = 0; i < count; i++)
    if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, "..")) report_device(names[i]->d_name);
  json_close('}');
}

static void report_descriptor(int fd) {
  char path[64], target[PATH_SIZE];
  struct stat file;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(path, target, sizeof target);
  json_open(NULL, '{');
  json_number("number", fd);
  json_string("type", fstat(fd, &file) ? error_name(errno) : type_name(file.st_mode));
  if (length >= 0) json_bytes("target", target, length);
  json_bool("closeOnExec", fcntl(fd, F_GETFD) & FD_CLOEXEC);
  json_close('}');
}

/* By number, not by /proc/self/fd, which may be hidden or false. */
void report_descriptors(void) {
  json_open("descriptors", '[');
  for (int fd = 0; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) report_descriptor(fd);
  json_close(']');
}

static void report_directory(const char *path) {
  DIR *directory = opendir(path);
  json_outcome("read", directory != NULL);
  int entries = 0;
  for (struct dirent *entry; directory && (entry = readdir(directory));)
    entries += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
  json_number("entries", entries);
  if (directory) closedir(directory);
  json_outcome("write", faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0);
}

/* Opens for writing but writes nothing: what opens may be /proc/sysrq-trigger. */
static void report_file(const char *path) {
  char byte;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  ssize_t length = fd < 0 ? -1 : read(fd, &byte, 1);
  json_outcome("read", length >= 0);
  json_bool("empty", length == 0);
  if (fd >= 0) close(fd);
  fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  json_outcome("write", fd >= 0);
  if (fd >= 0) close(fd);
}

void report_path(const char *path) {
  struct stat file;
  json_open(path, '{');
  if (lstat(path, &file)) {
    json_string("type", error_name(errno));
  } else {
    json_string("type", type_name(file.st_mode));
    report_device_number(file.st_mode, file.st_rdev);
    if (S_ISDIR(file.st_mode)) report_directory(path);
    else if (!S_ISLNK(file.st_mode)) report_file(path);
  }
  json_close('}');
}

void report_sysctl(const char *name) {
  char path[PATH_SIZE], text[PATH_SIZE];
  snprintf(path, sizeof path, "/proc/sys/%s", name);
  for (char *c = path + sizeof "/proc/sys"; *c; c++)
    if (*c == '.') *c = '/';
  ssize_t length = read_text(path, text, sizeof text);
  if (length > 0 && text[length - 1] == '\n') text[--length] = 0;
  json_string(name, length < 0 ? error_name(errno) : text);
}

void report_terminal(void) {
  json_open("terminal", '{');
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
  json_outcome("controlling", fd >= 0);
  if (fd >= 0) {
    json_number("foreground", tcgetpgrp(fd));
    close(fd);
  }
  char name[64] = "";
  json_string("name", ttyname_r(0, name, sizeof name) ? "" : name);
  struct winsize size;
  if (!ioctl(0, TIOCGWINSZ, &size)) {
    json_number("rows", size.ws_row);
    json_number("columns", size.ws_col);
  }
  struct termios settings;
  if (!tcgetattr(0, &settings)) json_bool("mapsNewlines", settings.c_oflag & ONLCR && settings.c_oflag & OPOST);
  json_close('}');
}
