/*
 * xattr list DIRECTORY         prints "PATH NAME HEX" for each extended attribute beneath, links not followed
 * xattr set FILE NAME VALUE    sets one
 *
 * Node has no calls for these, and attr(1) is not everywhere.
 */
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

static int list(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)kind, (void)place;
  char names[65536], value[65536];
  ssize_t size = llistxattr(path, names, sizeof names);
  for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
    ssize_t length = lgetxattr(path, name, value, sizeof value);
    printf("%s %s ", path, name);
    for (ssize_t i = 0; i < length; i++) printf("%02x", (unsigned char)value[i]);
    printf("\n");
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "list")) return nftw(argv[2], list, 16, FTW_PHYS) != 0;
  if (argc == 5 && !strcmp(argv[1], "set")) {
    if (!lsetxattr(argv[2], argv[3], argv[4], strlen(argv[4]), 0)) return 0;
    perror(argv[2]);
    return 1;
  }
  fprintf(stderr, "usage: xattr list DIRECTORY | xattr set FILE NAME VALUE\n");
  return 64;
}
