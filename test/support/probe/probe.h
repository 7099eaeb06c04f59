/* What the parts of the probe share: a writer of one JSON object, and the sections of the report. */
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <sys/types.h>

#define PATH_SIZE 4096

/* json.c. A NULL key is for array elements. */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_string(const char *key, const char *value);
void json_bytes(const char *key, const char *value, size_t length);
void json_number(const char *key, long long value);
void json_bool(const char *key, int value);
void json_null(const char *key);
void json_end(void);
/* The name of `error` as errno.h spells it, or "" for 0. */
const char *error_name(int error);
/* The result of something tried: "ok", or the name of errno. */
void json_outcome(const char *key, int ok);

/* credentials.c */
void report_ids(void);
void report_capabilities(void);
void report_restrictions(void);
void report_session_keyring(void);

/* limits.c */
void report_rlimits(void);
void report_signals(void);
void report_scheduling(void);

/* surroundings.c */
void report_namespaces(void);
void report_mounts(void);
void report_names(void);
void report_cgroups(void);
void report_clocks(void);
void report_root(void);

/* files.c */
void report_devices(void);
void report_descriptors(void);
void report_path(const char *path);
void report_sysctl(const char *name);
void report_terminal(void);

/* modes.c, attack.c: the other things the probe can be; NULL-terminated argv after the mode's name. */
struct mode {
  const char *name;
  int (*run)(int argc, char **argv);
};
extern const struct mode MODES[];
extern const struct mode ATTACKS[];

/* The value of a `Name:\tvalue` line of /proc/self/status, or NULL. */
const char *status_field(const char *name);
/* Reads at most size-1 bytes and terminates them; -1 and errno when it cannot. */
ssize_t read_text(const char *path, char *text, size_t size);

#endif
