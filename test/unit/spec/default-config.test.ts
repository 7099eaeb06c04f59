import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../spec/config.ts';
import {
  type DefaultConfigOptions,
  defaultConfig,
  formatConfig,
  rootlessConfig,
} from '../../../spec/default-config.ts';
import { parseConfig } from '../../../spec/validate.ts';
import { complaints } from '../../support/complaints.ts';

/** What another runtime's `spec` writes, or `undefined` when that runtime is not installed. */
function specOf(runtime: string, ...options: string[]): string | undefined {
  const directory = mkdtempSync(path.join(tmpdir(), 'hull-spec-'));
  try {
    execFileSync(runtime, ['spec', ...options], { cwd: directory, stdio: 'ignore' });
    return readFileSync(path.join(directory, 'config.json'), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** In what hull's configuration may differ from runc's, and nowhere else. */
const DIFFERENCES: Readonly<Record<string, (config: Config) => Config>> = {
  'ociVersion is that of the standard which the runtime implements': (config) => ({
    ...config,
    ociVersion: '1.3.0',
  }),
  'hostname is the name of the runtime': (config) => ({ ...config, hostname: 'hull' }),
  'runc before 1.2 also asks for ambient capabilities': (config) => {
    const { ambient: _ambient, ...capabilities } = config.process?.capabilities ?? {};
    return config.process === undefined
      ? config
      : { ...config, process: { ...config.process, capabilities } };
  },
};

function expectedFrom(runc: string): string {
  const config = Object.values(DIFFERENCES).reduce(
    (current, change) => change(current),
    JSON.parse(runc) as Config,
  );
  return `${JSON.stringify(config, null, '\t')}\n`;
}

/** runc adds the namespace on a host with cgroup v2 alone. */
function optionsOf(runc: string): DefaultConfigOptions {
  return { cgroupNamespace: runc.includes('"type": "cgroup"\n\t\t\t}') };
}

const RUNC = specOf('runc');
const RUNC_ROOTLESS = specOf('runc', '--rootless');
const CRUN = specOf('crun');

describe('defaultConfig()', () => {
  it('is what runc prints, but for the named differences', ({ skip }) => {
    if (RUNC === undefined) return skip('runc is not installed');
    expect(formatConfig(defaultConfig(optionsOf(RUNC)))).toBe(expectedFrom(RUNC));
  });

  it('has a cgroup namespace when it is asked for, and is valid in any case', () => {
    const types = (config: Config) => config.linux?.namespaces?.map((namespace) => namespace.type);
    expect(types(defaultConfig())).toEqual(['pid', 'network', 'ipc', 'uts', 'mount']);
    expect(types(defaultConfig({ cgroupNamespace: true }))).toEqual([
      'pid',
      'network',
      'ipc',
      'uts',
      'mount',
      'cgroup',
    ]);
    expect(complaints(defaultConfig())).toEqual([]);
    expect(complaints(defaultConfig({ cgroupNamespace: true }))).toEqual([]);
  });

  it('gives no inheritable or ambient capability', () => {
    expect(Object.keys(defaultConfig().process?.capabilities ?? {})).toEqual([
      'bounding',
      'effective',
      'permitted',
    ]);
  });
});

describe('rootlessConfig()', () => {
  it('is what runc --rootless prints, but for the named differences', ({ skip }) => {
    if (RUNC_ROOTLESS === undefined) return skip('runc is not installed');
    const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
    expect(formatConfig(rootlessConfig(uid, gid, optionsOf(RUNC_ROOTLESS)))).toBe(
      expectedFrom(RUNC_ROOTLESS),
    );
  });

  it('maps the ids it is given to root, and is valid', () => {
    const config = rootlessConfig(1000, 100, { cgroupNamespace: true });
    expect(config.linux?.uidMappings).toEqual([{ containerID: 0, hostID: 1000, size: 1 }]);
    expect(config.linux?.gidMappings).toEqual([{ containerID: 0, hostID: 100, size: 1 }]);
    expect(config.linux?.namespaces?.map((namespace) => namespace.type)).toEqual([
      'pid',
      'ipc',
      'uts',
      'mount',
      'cgroup',
      'user',
    ]);
    expect(config.linux?.resources).toBeUndefined();
    expect(JSON.stringify(config.mounts)).not.toMatch(/[ug]id=/);
    expect(complaints(config)).toEqual([]);
  });
});

describe('formatConfig()', () => {
  it('writes what parseConfig() reads back', () => {
    expect(parseConfig(formatConfig(defaultConfig()))).toEqual(defaultConfig());
    const resources = { memory: { limit: 9223372036854775807n } };
    const config: Config = { ...defaultConfig(), linux: { ...defaultConfig().linux, resources } };
    expect(formatConfig(config)).toContain('"limit": 9223372036854775807\n');
    expect(parseConfig(formatConfig(config))).toEqual(config);
  });
});

describe('parseConfig()', () => {
  it('accepts what other runtimes print', ({ skip }) => {
    const printed = [RUNC, RUNC_ROOTLESS, CRUN].filter((text) => text !== undefined);
    if (printed.length === 0) return skip('neither runc nor crun is installed');
    for (const text of printed) expect(parseConfig(text)).toEqual(JSON.parse(text));
  });
});
