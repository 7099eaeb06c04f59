/*
 * The process that integration tests run inside a container.
 *
 *   probe [report] [path=PATH]… [sysctl=NAME]…   prints what it sees as one JSON object
 *   probe MODE [ARGUMENT]…                       behaves as a test needs (modes.c, attack.c)
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

/* What `runc spec` masks or makes read-only, and what is never in such a list. */
static const char *const PATHS[] = {
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware",
    "/sys/devices/virtual/powercap", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
    "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/status", "/dev/null", "/dev/full",
    "/sys/fs/cgroup", "/tmp",
};

static const char *const SYSCTLS[] = {
    "kernel.hostname", "kernel.domainname", "kernel.shm_rmid_forced", "kernel.msgmax", "kernel.shmmax",
    "fs.mqueue.msg_max", "net.ipv4.ip_forward", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
};

static void report_words(const char *key, char **words) {
  json_open(key, '[');
  for (; *words; words++) json_string(NULL, *words);
  json_close(']');
}

static void report_session(void) {
  json_number("pid", getpid());
  json_number("ppid", getppid());
  json_number("processGroup", getpgrp());
  json_number("session", getsid(0));
  const char *own = status_field("NSpid");
  json_string("pidsByNamespace", own ? own : "");
}

static void report_chosen(char **arguments, const char *prefix, void (*report)(const char *)) {
  for (; *arguments; arguments++)
    if (!strncmp(*arguments, prefix, strlen(prefix))) report(*arguments + strlen(prefix));
}

static int report(char **arguments, char **all) {
  json_open(NULL, '{');
  report_words("argv", all);
  report_words("env", environ);
  report_session();
  report_namespaces();
  report_mounts();
  report_names();
  report_ids();
  report_capabilities();
  report_restrictions();
  report_session_keyring();
  report_rlimits();
  report_signals();
  report_scheduling();
  report_cgroups();
  report_clocks();
  report_root();
  report_devices();
  report_descriptors();
  report_terminal();
  json_open("paths", '{');
  for (unsigned i = 0; i < sizeof PATHS / sizeof *PATHS; i++) report_path(PATHS[i]);
  report_chosen(arguments, "path=", report_path);
  json_close('}');
  json_open("sysctl", '{');
  for (unsigned i = 0; i < sizeof SYSCTLS / sizeof *SYSCTLS; i++) report_sysctl(SYSCTLS[i]);
  report_chosen(arguments, "sysctl=", report_sysctl);
  json_close('}');
  json_close('}');
  json_end();
  /* A terminal is hung up when its session's leader ends, and loses what nobody has read: wait for an answer. */
  if (isatty(1)) getchar();
  return 0;
}

static const struct mode *find(const struct mode *modes, const char *name) {
  for (; modes->name; modes++)
    if (!strcmp(modes->name, name)) return modes;
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 2 || !strcmp(argv[1], "report")) return report(argv + (argc < 2 ? 1 : 2), argv);
  const struct mode *mode = find(MODES, argv[1]);
  if (!mode) mode = find(ATTACKS, argv[1]);
  if (mode) return mode->run(argc - 2, argv + 2);
  fprintf(stderr, "probe: no mode \"%s\"\n", argv[1]);
  return 64;
}
