// What `hull --version` says.
import packageJson from '../package.json' with { type: 'json' };
import { OCI_VERSION_MAX } from '../spec/version.ts';

/** The commit that a bundle was built from; absent when the sources run directly. */
declare const HULL_COMMIT: string | undefined;

export const VERSION: string = packageJson.version;

/** Lines of `name: value` after the first, as `runc --version` prints them. */
export function versionText(): string {
  const commit = typeof HULL_COMMIT === 'string' ? [`commit: ${HULL_COMMIT}`] : [];
  const lines = [
    `hull version ${VERSION}`,
    ...commit,
    `spec: ${OCI_VERSION_MAX}`,
    `node: ${process.versions.node}`,
    `v8: ${process.versions.v8}`,
    `ffi-rs: ${packageJson.dependencies['ffi-rs']}`,
  ];
  return `${lines.join('\n')}\n`;
}
