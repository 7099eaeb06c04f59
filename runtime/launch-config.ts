// What `launch` makes of an image: a config.json, from the image's own configuration and what the caller says.
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { ImageProcess } from '../image/convert.ts';
import type { Mount } from '../spec/config/mount.ts';
import type { Config } from '../spec/config.ts';
import { defaultConfig } from '../spec/default-config.ts';
import { RuntimeError } from './errors.ts';

export type NetworkChoice = 'none' | 'host';

export interface LaunchChoices {
  readonly id: string;
  readonly hostname: string | undefined;
  readonly network: NetworkChoice;
  readonly terminal: boolean;
  readonly readonlyRoot: boolean;
  readonly allowNewPrivileges: boolean;
  /** `SRC:DST[:ro]` */
  readonly volumes: readonly string[];
}

/** What programs of a distribution expect of root, and no more: Podman's default. */
const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/** For a container that shares the host's network: its names resolve as the host's do. */
const NETWORK_FILES = ['/etc/resolv.conf', '/etc/hosts'];

export function launchConfig(image: ImageProcess, choices: LaunchChoices): Config {
  const base = defaultConfig({ cgroupNamespace: true });
  const { id, hostname = id.slice(0, HOSTNAME_BYTES_MAX), network, terminal } = choices;
  const isRoot = image.process.user.uid === 0;
  const all = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
  return {
    ...base,
    process: {
      ...image.process,
      env: terminal ? withTerm(image.process.env) : image.process.env,
      terminal,
      // A user who is not root starts without any, and can get none but through a set-user-id program.
      capabilities: isRoot ? all : { bounding: CAPABILITIES },
      noNewPrivileges: !choices.allowNewPrivileges,
    },
    root: { path: 'rootfs', readonly: choices.readonlyRoot },
    hostname,
    mounts: [
      ...(base.mounts ?? []),
      ...networkMounts(network),
      ...image.mounts,
      ...choices.volumes.map(volumeMount),
    ],
    annotations: image.annotations,
    linux: {
      ...base.linux,
      cgroupsPath: `/hull/${id}`,
      namespaces: (base.linux?.namespaces ?? []).filter(
        ({ type }) => network === 'none' || type !== 'network',
      ),
    },
  };
}

/** sethostname(2): HOST_NAME_MAX. */
const HOSTNAME_BYTES_MAX = 64;

const withTerm = (env: readonly string[]): readonly string[] =>
  env.some((variable) => variable.startsWith('TERM=')) ? env : [...env, 'TERM=xterm'];

function networkMounts(network: NetworkChoice): Mount[] {
  if (network === 'none') return [];
  return NETWORK_FILES.filter((file) => existsSync(file)).map((file) => ({
    destination: file,
    type: 'bind',
    source: file,
    options: ['bind', 'rprivate', 'ro', 'nosuid', 'nodev', 'noexec'],
  }));
}

/** @throws {RuntimeError} */
export function volumeMount(text: string): Mount {
  const [source = '', destination = '', mode, ...more] = text.split(':');
  const refuse = (reason: string): RuntimeError =>
    new RuntimeError('USAGE', `invalid volume ${JSON.stringify(text)}: ${reason}`, {
      hint: 'a volume is SRC:DST or SRC:DST:ro, with SRC a file or directory of the host',
    });
  if (source === '' || !isAbsolute(destination) || more.length > 0)
    throw refuse('not SRC:DST[:ro] with an absolute DST');
  if (resolve(destination) === '/') throw refuse('the root of the container cannot be one');
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw')
    throw refuse(`unknown mode ${JSON.stringify(mode)}`);
  const path = resolve(source);
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw refuse(`${JSON.stringify(path)} does not exist`);
  const options = ['rbind', 'rprivate', 'nosuid', 'nodev', ...(mode === 'ro' ? ['rro'] : [])];
  return { destination, type: 'bind', source: path, options };
}

/** @throws {RuntimeError} */
export function checkVariables(variables: readonly string[]): readonly string[] {
  const wrong = variables.find((variable) => variable.indexOf('=') < 1);
  if (wrong === undefined) return variables;
  throw new RuntimeError('USAGE', `invalid environment variable ${JSON.stringify(wrong)}: not NAME=VALUE`);
}

/** @throws {RuntimeError} */
export function parseNetwork(text: string | undefined): NetworkChoice {
  if (text === undefined || text === 'none') return 'none';
  if (text === 'host') return 'host';
  throw new RuntimeError('USAGE', `unknown network ${JSON.stringify(text)}`, {
    hint: 'none is a network of its own with nothing but loopback, host is the network of this machine',
  });
}
