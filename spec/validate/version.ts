/** `ociVersion`: which versions of the runtime-spec a configuration may be written for. */

import { also, type Check, text } from '../schema.ts';
import { OCI_VERSION_MAX, OCI_VERSION_MIN } from '../version.ts';

/** semver.org; the versions that are in use have some ten characters. */
const VERSION_BYTES_MAX = 64;
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const SEMVER = new RegExp(
  `^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?$`,
);

/** Of a minor version every patch is understood: patches only clarify. */
const [MAJOR, MINOR_MAX] = OCI_VERSION_MAX.split('.').map(Number);

const semver = text({
  bytesMax: VERSION_BYTES_MAX,
  pattern: { matches: SEMVER, rule: `must be a semantic version such as "${OCI_VERSION_MAX}"` },
});

export const ociVersion: Check<string> = also(semver, (value, at, report) => {
  const [, major, minor] = SEMVER.exec(value) ?? [];
  if (Number(major) === MAJOR && Number(minor) <= Number(MINOR_MAX)) return;
  report.add(at, `must be a version from ${OCI_VERSION_MIN} to ${MAJOR}.${MINOR_MAX}.x`);
});
