/** A user without privileges who calls the runtime, known to newuidmap(1) in the test's mount namespace alone. */

import {
  appendFileSync,
  chownSync,
  copyFileSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { Bundle, ConfigChange } from './bundle.ts';
import { addNamespace, type IdMapping, shareNamespace } from './config.ts';
import type { TestHost } from './host.ts';
import type { CallOptions } from './runtime.ts';

export const USER = 4242;

/** What /etc/subuid and /etc/subgid give to that user. */
export const SUBORDINATE = { first: 200_000, count: 65_536 };

export const OWN_ID: readonly IdMapping[] = [{ containerID: 0, hostID: USER, size: 1 }];

export const OWN_ID_AND_RANGE: readonly IdMapping[] = [
  ...OWN_ID,
  { containerID: 1, hostID: SUBORDINATE.first, size: SUBORDINATE.count },
];

/** Options with which the runtime is called by that user. */
export const AS_USER: CallOptions = {
  under: ['setpriv', '--reuid', `${USER}`, '--regid', `${USER}`, '--clear-groups', '--'],
};

/** Mounts an entry for the user over /etc/passwd and the ranges over /etc/sub?id; nobody else sees that. */
export function addOrdinaryUser(host: TestHost): void {
  const directory = host.directory('etc');
  const passwd = path.join(directory, 'passwd');
  copyFileSync('/etc/passwd', passwd);
  appendFileSync(passwd, `ordinary:x:${USER}:${USER}::/nonexistent:/bin/sh\n`);
  const ranges = path.join(directory, 'ranges');
  writeFileSync(ranges, `ordinary:${SUBORDINATE.first}:${SUBORDINATE.count}\n`);
  host.inside('mount', '--bind', passwd, '/etc/passwd');
  for (const file of ['/etc/subuid', '/etc/subgid']) host.inside('mount', '--bind', ranges, file);
  mkdirSync(host.runtime.root, { recursive: true });
  chownSync(host.runtime.root, USER, USER);
  host.remember();
}

/** A bundle of the user's, with what `spec --rootless` has otherwise than `spec`. */
export function ordinaryBundle(host: TestHost, maps: readonly IdMapping[], change: ConfigChange): Bundle {
  const bundle = host.bundle((config) => {
    shareNamespace(config, 'network');
    addNamespace(config, { type: 'user' });
    config.linux.uidMappings = [...maps];
    config.linux.gidMappings = [...maps];
    for (const mount of config.mounts) {
      mount.options = mount.options?.filter((option) => !/^[ug]id=/.test(option)) ?? [];
    }
    const options = ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'];
    config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/sys'));
    config.mounts.push({ destination: '/sys', type: 'none', source: '/sys', options });
    change(config);
  });
  giveTo(bundle.directory, USER);
  return bundle;
}

/** The directory, and all that is in it. */
export function giveTo(directory: string, owner: number): void {
  chownSync(directory, owner, owner);
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    lchownSync(path.join(directory, name), owner, owner);
  }
}
