/* A writer of JSON to standard output: commas and quotes in one place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

static int first = 1;

/* Bytes that are not ASCII become \u00XX: which they are matters to a test, not what they spell. */
static void quote(const char *value, size_t length) {
  putchar('"');
  for (size_t i = 0; i < length; i++) {
    unsigned char c = value[i];
    if (c == '"' || c == '\\') printf("\\%c", c);
    else if (c < 0x20 || c > 0x7e) printf("\\u%04x", c);
    else putchar(c);
  }
  putchar('"');
}

static void begin(const char *key) {
  if (!first) putchar(',');
  first = 0;
  if (!key) return;
  quote(key, strlen(key));
  putchar(':');
}

void json_open(const char *key, char bracket) {
  begin(key);
  putchar(bracket);
  first = 1;
}

void json_close(char bracket) {
  putchar(bracket);
  first = 0;
}

void json_bytes(const char *key, const char *value, size_t length) {
  begin(key);
  quote(value, length);
}

void json_string(const char *key, const char *value) { json_bytes(key, value, strlen(value)); }

void json_number(const char *key, long long value) {
  begin(key);
  printf("%lld", value);
}

void json_bool(const char *key, int value) {
  begin(key);
  fputs(value ? "true" : "false", stdout);
}

void json_null(const char *key) {
  begin(key);
  fputs("null", stdout);
}

void json_end(void) {
  putchar('\n');
  fflush(stdout);
}

const char *error_name(int error) {
  if (error == 0) return "";
  const char *name = strerrorname_np(error);
  return name ? name : "EUNKNOWN";
}

void json_outcome(const char *key, int ok) { json_string(key, ok ? "ok" : error_name(errno)); }
