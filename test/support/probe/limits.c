/* What the process inherits besides identity: resource limits, signal state, scheduling. */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/* <asm-generic/resource.h>, by number. */
static const char *const RLIMITS[] = {
    "RLIMIT_CPU",     "RLIMIT_FSIZE",  "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE",       "RLIMIT_RSS",
    "RLIMIT_NPROC",   "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS",      "RLIMIT_SIGPENDING",
    "RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
};

/* As text: RLIM_INFINITY does not fit a JSON number. */
static void report_limit(const char *key, rlim_t value) {
  char text[32];
  snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  json_string(key, value == RLIM_INFINITY ? "unlimited" : text);
}

void report_rlimits(void) {
  json_open("rlimits", '{');
  for (unsigned i = 0; i < sizeof RLIMITS / sizeof *RLIMITS; i++) {
    struct rlimit limit;
    if (getrlimit(i, &limit)) continue;
    json_open(RLIMITS[i], '{');
    report_limit("soft", limit.rlim_cur);
    report_limit("hard", limit.rlim_max);
    json_close('}');
  }
  json_close('}');
}

static void report_signal_set(const char *key, const char *field) {
  const char *hex = status_field(field);
  unsigned long long bits = hex ? strtoull(hex, NULL, 16) : 0;
  json_open(key, '[');
  for (int i = 1; i <= 64; i++) {
    if (!(bits >> (i - 1) & 1)) continue;
    char name[16];
    if (sigabbrev_np(i)) snprintf(name, sizeof name, "SIG%s", sigabbrev_np(i));
    else snprintf(name, sizeof name, "%d", i);
    json_string(NULL, name);
  }
  json_close(']');
}

void report_signals(void) {
  int death = -1;
  prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
  json_open("signals", '{');
  report_signal_set("blocked", "SigBlk");
  report_signal_set("ignored", "SigIgn");
  report_signal_set("caught", "SigCgt");
  report_signal_set("pending", "ShdPnd");
  json_number("parentDeath", death);
  json_close('}');
}

static void report_affinity(void) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  json_open("affinity", '[');
  for (int i = 0; i < CPU_SETSIZE; i++)
    if (CPU_ISSET(i, &cpus)) json_number(NULL, i);
  json_close(']');
}

/* struct sched_attr, 48 bytes since Linux 3.14. */
struct attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

void report_scheduling(void) {
  struct attributes attributes = {0};
  syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0);
  json_open("scheduler", '{');
  json_number("policy", attributes.policy);
  json_number("flags", attributes.flags);
  json_number("nice", attributes.nice);
  json_number("priority", attributes.priority);
  json_close('}');
  json_number("ioPriority", syscall(SYS_ioprio_get, 1, 0));
  report_affinity();
  char text[32];
  json_number("oomScoreAdj", read_text("/proc/self/oom_score_adj", text, sizeof text) < 0 ? -9999 : atoi(text));
}
