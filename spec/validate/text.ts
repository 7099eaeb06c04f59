/** Kinds of text that several parts of the configuration share. */

import { also, type Check, text } from '../schema.ts';

const CONTROL_CHARACTER = /\p{Cc}/u;

/** Linux' utsname fields are 65 bytes with the NUL. */
const UTS_NAME_BYTES_MAX = 64;

/** IFNAMSIZ is 16 with the NUL. */
const INTERFACE_NAME_BYTES_MAX = 15;

export function hasControlCharacter(value: string): boolean {
  return CONTROL_CHARACTER.test(value);
}

/** hostname and domainname. */
export const utsName: Check<string> = text({
  bytesMax: UTS_NAME_BYTES_MAX,
  pattern: { matches: /^\P{Cc}*$/u, rule: 'must not contain control characters' },
});

/**
 * `NAME=value`, with runc's texts (libcontainer/env.go). An entry without `=` must not mean "copy it from the
 * environment of the runtime" (CVE-2026-57231 and its like). A value may hold any character but NUL: certificates and
 * exported shell functions have newlines.
 */
export const environmentVariable: Check<string> = also(text(), (value, at, report) => {
  const equals = value.indexOf('=');
  if (equals === -1) report.add(at, "invalid environment variable: missing '='");
  else if (equals === 0) report.add(at, 'invalid environment variable: name cannot be empty');
  else if (hasControlCharacter(value.slice(0, equals))) {
    report.add(at, 'invalid environment variable: name contains a control character');
  }
});

/** CPUs or memory nodes: `0-3,7`. */
export const numberList: Check<string> = text({
  pattern: {
    matches: /^(?:\d{1,6}(?:-\d{1,6})?(?:,\d{1,6}(?:-\d{1,6})?)*)?$/,
    rule: 'must be a list of numbers and ranges such as "0-3,7"',
  },
});

/** What the kernel takes for the name of a network interface (net/core/dev.c, dev_valid_name()). */
export const interfaceName: Check<string> = text({
  bytesMax: INTERFACE_NAME_BYTES_MAX,
  empty: 'must not be empty',
  pattern: { matches: /^(?!\.\.?$)[^/:\s]+$/, rule: 'must be the name of a network interface' },
});
