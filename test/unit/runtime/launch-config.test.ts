import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageProcess } from '../../../image/convert.ts';
import { RuntimeError } from '../../../runtime/errors.ts';
import {
  checkVariables,
  type LaunchChoices,
  launchConfig,
  parseNetwork,
  volumeMount,
} from '../../../runtime/launch-config.ts';
import { formatConfig } from '../../../spec/default-config.ts';
import { parseConfig } from '../../../spec/validate.ts';

const IMAGE: ImageProcess = {
  process: { args: ['/bin/app'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } },
  annotations: { 'org.example.label': 'x' },
  mounts: [{ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }],
};

const CHOICES: LaunchChoices = {
  id: 'web',
  hostname: undefined,
  network: 'none',
  terminal: false,
  readonlyRoot: false,
  allowNewPrivileges: false,
  volumes: [],
};

const withUid = (uid: number): ImageProcess => ({
  ...IMAGE,
  process: { ...IMAGE.process, user: { uid, gid: uid } },
});

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'hull-launch-config-'));
  writeFileSync(path.join(directory, 'file'), '');
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('launchConfig()', () => {
  it('makes a config that is valid, and reads back as itself', () => {
    const config = launchConfig(IMAGE, { ...CHOICES, volumes: [`${directory}:/mnt`] });
    expect(parseConfig(formatConfig(config))).toEqual(JSON.parse(JSON.stringify(config)));
  });

  it('gives root the capabilities that programs expect of it, and no ambient or inheritable ones', () => {
    const { capabilities = {} } = launchConfig(IMAGE, CHOICES).process ?? {};
    expect(Object.keys(capabilities).sort()).toEqual(['bounding', 'effective', 'permitted']);
    expect(capabilities.effective).toEqual(capabilities.bounding);
    expect(capabilities.effective).toContain('CAP_CHOWN');
    expect(capabilities.effective).not.toContain('CAP_SYS_ADMIN');
  });

  it('gives other users none, but a bound for what set-user-id programs may have', () => {
    const { capabilities } = launchConfig(withUid(1000), CHOICES).process ?? {};
    expect(Object.keys(capabilities ?? {})).toEqual(['bounding']);
  });

  it('lets nobody get new privileges unless asked', () => {
    expect(launchConfig(IMAGE, CHOICES).process?.noNewPrivileges).toBe(true);
    const allowed = launchConfig(IMAGE, { ...CHOICES, allowNewPrivileges: true });
    expect(allowed.process?.noNewPrivileges).toBe(false);
  });

  it('leaves the network namespace out for the network of the host', () => {
    const types = (network: 'none' | 'host'): readonly string[] =>
      (launchConfig(IMAGE, { ...CHOICES, network }).linux?.namespaces ?? []).map(({ type }) => type);
    expect(types('none')).toContain('network');
    expect(types('host')).toEqual(types('none').filter((type) => type !== 'network'));
  });

  it("mounts the image's volumes before the caller's, which so are on top", () => {
    const { mounts = [] } = launchConfig(IMAGE, { ...CHOICES, volumes: [`${directory}:/data`] });
    expect(mounts.slice(-2).map(({ destination, type }) => [destination, type])).toEqual([
      ['/data', 'tmpfs'],
      ['/data', 'bind'],
    ]);
  });

  it('names TERM for a terminal where the image does not', () => {
    const env = (own: string[], terminal: boolean): readonly string[] | undefined =>
      launchConfig({ ...IMAGE, process: { ...IMAGE.process, env: own } }, { ...CHOICES, terminal }).process
        ?.env;
    expect(env(['A=1'], true)).toEqual(['A=1', 'TERM=xterm']);
    expect(env(['TERM=dumb'], true)).toEqual(['TERM=dumb']);
    expect(env(['A=1'], false)).toEqual(['A=1']);
  });

  it('cuts a host name that comes from a long name, and leaves one that is given alone', () => {
    const id = 'n'.repeat(100);
    expect(launchConfig(IMAGE, { ...CHOICES, id }).hostname).toBe('n'.repeat(64));
    expect(launchConfig(IMAGE, { ...CHOICES, id, hostname: 'short' }).hostname).toBe('short');
  });
});

describe('volumeMount()', () => {
  it('binds with all below it, without devices and set-user-id programs', () => {
    expect(volumeMount(`${directory}:/mnt`)).toEqual({
      destination: '/mnt',
      type: 'bind',
      source: directory,
      options: ['rbind', 'rprivate', 'nosuid', 'nodev'],
    });
  });

  it('knows rw and ro, and with ro nothing below is writable either', () => {
    expect(volumeMount(`${directory}:/mnt:rw`)).toEqual(volumeMount(`${directory}:/mnt`));
    expect(volumeMount(`${directory}:/mnt:ro`).options).toContain('rro');
  });

  it('takes a file, and a source relative to the current directory', () => {
    expect(volumeMount(`${directory}/file:/etc/file`).source).toBe(path.join(directory, 'file'));
    const relative = path.relative(process.cwd(), directory);
    expect(volumeMount(`${relative}:/mnt`).source).toBe(directory);
  });

  // biome-ignore format: a table
  const REFUSED: readonly [text: string, reason: RegExp][] = [
    ['',                /not SRC:DST/],
    ['/tmp',            /not SRC:DST/],
    [':/x',             /not SRC:DST/],
    ['/tmp:',           /not SRC:DST/],
    ['/tmp:x',          /not SRC:DST/],
    ['/tmp:/x:ro:z',    /not SRC:DST/],
    ['/tmp:/x:',        /unknown mode ""/],
    ['/tmp:/x:RO',      /unknown mode "RO"/],
    ['/nowhere/at:/x',  /"\/nowhere\/at" does not exist/],
    ['/tmp:/',          /the root of the container cannot be one/],
    ['/tmp:/x/..',      /the root of the container cannot be one/],
  ];
  for (const [text, reason] of REFUSED) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => volumeMount(text)).toThrow(RuntimeError);
      expect(() => volumeMount(text)).toThrow(reason);
      expect(() => volumeMount(text)).toThrow(`invalid volume ${JSON.stringify(text)}: `);
    });
  }
});

describe('checkVariables()', () => {
  it('lets values be empty, and have more equals signs', () => {
    expect(checkVariables(['A=', 'B=x=y', 'C D= '])).toEqual(['A=', 'B=x=y', 'C D= ']);
  });

  for (const wrong of ['', 'NAME', '=value', '=']) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      const message = `invalid environment variable ${JSON.stringify(wrong)}: not NAME=VALUE`;
      expect(() => checkVariables(['A=1', wrong])).toThrow(message);
    });
  }
});

describe('parseNetwork()', () => {
  it('is none unless it is said otherwise', () => {
    expect([undefined, 'none', 'host'].map(parseNetwork)).toEqual(['none', 'none', 'host']);
  });

  for (const text of ['', 'bridge', 'Host', 'host ']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseNetwork(text)).toThrow(`unknown network ${JSON.stringify(text)}`);
    });
  }
});
