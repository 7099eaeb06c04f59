/* Who the process is and what it may do: ids, capability sets, the switches of prctl(2), the session keyring. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/* <linux/capability.h> of Linux 6.x, by number. */
static const char *const CAPABILITIES[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};
#define CAPABILITY_COUNT (sizeof CAPABILITIES / sizeof *CAPABILITIES)

ssize_t read_text(const char *path, char *text, size_t size) {
  FILE *file = fopen(path, "re");
  if (!file) return -1;
  size_t length = fread(text, 1, size - 1, file);
  int failed = ferror(file) ? errno : 0;
  fclose(file);
  errno = failed;
  text[length] = 0;
  return failed ? -1 : (ssize_t)length;
}

const char *status_field(const char *name) {
  static char text[16384];
  if (read_text("/proc/self/status", text, sizeof text) < 0) return NULL;
  size_t length = strlen(name);
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    if (!strncmp(line, name, length) && line[length] == ':') return line + length + 1 + strspn(line + length + 1, "\t ");
  return NULL;
}

static void report_quadruple(const char *key, unsigned real, unsigned effective, unsigned saved, unsigned fs) {
  json_open(key, '{');
  json_number("real", real);
  json_number("effective", effective);
  json_number("saved", saved);
  json_number("filesystem", fs);
  json_close('}');
}

void report_ids(void) {
  uid_t uid[3];
  gid_t gid[3], groups[1024];
  getresuid(uid, uid + 1, uid + 2);
  getresgid(gid, gid + 1, gid + 2);
  report_quadruple("uids", uid[0], uid[1], uid[2], setfsuid(-1));
  report_quadruple("gids", gid[0], gid[1], gid[2], setfsgid(-1));
  json_open("groups", '[');
  int count = getgroups(1024, groups);
  for (int i = 0; i < count; i++) json_number(NULL, groups[i]);
  json_close(']');
  mode_t mask = umask(0);
  umask(mask);
  json_number("umask", mask);
}

static void report_capability_set(const char *key, const char *field) {
  const char *hex = status_field(field);
  unsigned long long bits = hex ? strtoull(hex, NULL, 16) : 0;
  json_open(key, '[');
  for (unsigned i = 0; i < 64; i++) {
    if (!(bits >> i & 1)) continue;
    char number[16];
    snprintf(number, sizeof number, "CAP_%u", i);
    json_string(NULL, i < CAPABILITY_COUNT ? CAPABILITIES[i] : number);
  }
  json_close(']');
}

void report_capabilities(void) {
  json_open("capabilities", '{');
  report_capability_set("inheritable", "CapInh");
  report_capability_set("permitted", "CapPrm");
  report_capability_set("effective", "CapEff");
  report_capability_set("bounding", "CapBnd");
  report_capability_set("ambient", "CapAmb");
  json_close('}');
}

void report_restrictions(void) {
  const char *seccomp = status_field("Seccomp");
  json_number("seccompMode", seccomp ? atoi(seccomp) : -1);
  const char *filters = status_field("Seccomp_filters");
  json_number("seccompFilters", filters ? atoi(filters) : -1);
  json_bool("noNewPrivileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
  json_number("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
  json_bool("keepCapabilities", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
  json_number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  json_number("childSubreaper", ({ int on = -1; prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0); on; }));
  json_number("personality", personality(0xffffffff));
  char label[1024];
  ssize_t length = read_text("/proc/self/attr/current", label, sizeof label);
  json_string("label", length < 0 ? "" : label);
}

void report_session_keyring(void) {
  /* KEYCTL_DESCRIBE (6) of KEY_SPEC_SESSION_KEYRING (-3): "type;uid;gid;perm;name". */
  char text[256] = "";
  long length = syscall(SYS_keyctl, 6, -3, text, sizeof text);
  json_string("sessionKeyring", length < 0 ? error_name(errno) : text);
  json_number("sessionKeyringId", syscall(SYS_keyctl, 0, -3, 0)); /* KEYCTL_GET_KEYRING_ID */
}
