import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ImageProcess, imageProcess, type ProcessOverrides } from '../../../image/convert.ts';
import type { ExecutionConfig, ImageConfig } from '../../../spec/image/image-config.ts';
import { Root } from '../../../sys/path.ts';
import { failureOf } from '../../support/image/messages.ts';
import { Scratch } from '../../support/image/scratch.ts';

const SH: ExecutionConfig = { Cmd: ['/bin/sh'] };

function convert(
  config: ExecutionConfig,
  overrides: ProcessOverrides = {},
  image: Partial<ImageConfig> = {},
): ImageProcess {
  using scratch = new Scratch();
  mkdirSync(scratch.join('etc'));
  writeFileSync(scratch.join('etc/passwd'), 'alice:x:1000:1001::/home/alice:\n');
  writeFileSync(scratch.join('etc/group'), 'adm:x:4:alice\n');
  using root = Root.open(scratch.path);
  const rootfs = { type: 'layers', diff_ids: [] } as const;
  return imageProcess({ os: 'linux', architecture: 'amd64', rootfs, config, ...image }, root, overrides);
}

describe('imageProcess(): the program', () => {
  // biome-ignore format: a table
  const CASES: [what: string, config: ExecutionConfig, overrides: ProcessOverrides, args: string[]][] = [
    ['Cmd alone',                     { Cmd: ['a', 'b'] },                       {},                                     ['a', 'b']],
    ['Entrypoint alone',              { Entrypoint: ['e'] },                     {},                                     ['e']],
    ['both',                          { Entrypoint: ['e', '1'], Cmd: ['c'] },    {},                                     ['e', '1', 'c']],
    ['arguments for Cmd',             { Entrypoint: ['e'], Cmd: ['c'] },         { args: ['x', 'y'] },                   ['e', 'x', 'y']],
    ['arguments without Entrypoint',  { Cmd: ['c'] },                            { args: ['x'] },                        ['x']],
    ['another entrypoint drops Cmd',  { Entrypoint: ['e'], Cmd: ['c'] },         { entrypoint: ['f'] },                  ['f']],
    ['both on the command line',      { Entrypoint: ['e'], Cmd: ['c'] },         { entrypoint: ['f'], args: ['x'] },     ['f', 'x']],
    ['an entrypoint taken away',      { Entrypoint: ['e'], Cmd: ['c'] },         { entrypoint: [], args: ['x'] },        ['x']],
  ];
  for (const [what, config, overrides, args] of CASES) {
    it(what, () => expect(convert(config, overrides).process.args).toEqual(args));
  }

  it('is missing where neither image nor caller names one', async () => {
    const message = 'the image names no program to run: name one on the command line';
    expect(await failureOf(() => convert({}))).toBe(message);
    expect(await failureOf(() => convert({ Cmd: ['c'] }, { entrypoint: [] }))).toBe(message);
  });
});

describe('imageProcess(): environment, directory, user', () => {
  const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

  // biome-ignore format: a table
  const ENVIRONMENTS: [what: string, config: ExecutionConfig, overrides: ProcessOverrides, env: string[]][] = [
    ['defaults',                    SH,                                        {},                       [PATH, 'HOME=/']],
    ['the user\'s home',            { ...SH, User: 'alice' },                  {},                       [PATH, 'HOME=/home/alice']],
    ['the image over defaults',     { ...SH, Env: ['PATH=/bin', 'A=1'] },      {},                       ['PATH=/bin', 'HOME=/', 'A=1']],
    ['the caller over the image',   { ...SH, Env: ['A=1', 'B=2'] },            { env: ['A=3', 'HOME=/x'] }, [PATH, 'HOME=/x', 'A=3', 'B=2']],
    ['the last of a name',          { ...SH, Env: ['A=1', 'A=2', 'A='] },      {},                       [PATH, 'HOME=/', 'A=']],
    ['values with equals signs',    { ...SH, Env: ['A=b=c'] },                 {},                       [PATH, 'HOME=/', 'A=b=c']],
  ];
  for (const [what, config, overrides, env] of ENVIRONMENTS) {
    it(`environment: ${what}`, () => expect(convert(config, overrides).process.env).toEqual(env));
  }

  it('starts in WorkingDir, which some images have relative', () => {
    const cwd = (WorkingDir: string | undefined, overrides: ProcessOverrides = {}): string =>
      convert({ ...SH, ...(WorkingDir !== undefined && { WorkingDir }) }, overrides).process.cwd;
    expect([cwd(undefined), cwd(''), cwd('/srv/'), cwd('app'), cwd('/a/../..')]).toEqual([
      '/',
      '/',
      '/srv',
      '/app',
      '/',
    ]);
    expect(cwd('/srv', { cwd: '/tmp' })).toBe('/tmp');
  });

  it('resolves the user in the image’s own files', () => {
    expect(convert({ ...SH, User: 'alice' }).process.user).toEqual({
      uid: 1000,
      gid: 1001,
      additionalGids: [4],
    });
    expect(convert({ ...SH, User: 'alice' }, { user: '7:8' }).process.user).toEqual({ uid: 7, gid: 8 });
    expect(convert(SH).process.user).toEqual({ uid: 0, gid: 0 });
  });
});

describe('imageProcess(): annotations', () => {
  it('has the fields of conversion.md', () => {
    const config: ExecutionConfig = {
      ...SH,
      StopSignal: 'SIGINT',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    };
    const image = {
      author: 'me',
      created: '2026-01-01T00:00:00Z',
      variant: 'v2',
      'os.features': ['a', 'b'],
      'os.version': '1',
    };
    expect(convert(config, {}, image)).toMatchObject({
      stopSignal: 'SIGINT',
      annotations: {
        'org.opencontainers.image.os': 'linux',
        'org.opencontainers.image.architecture': 'amd64',
        'org.opencontainers.image.variant': 'v2',
        'org.opencontainers.image.os.version': '1',
        'org.opencontainers.image.os.features': 'a,b',
        'org.opencontainers.image.author': 'me',
        'org.opencontainers.image.created': '2026-01-01T00:00:00Z',
        'org.opencontainers.image.stopSignal': 'SIGINT',
        'org.opencontainers.image.exposedPorts': '80/tcp,53/udp',
      },
    });
  });

  it('lets labels win, and leaves out what nobody said', () => {
    const { annotations } = convert(
      { ...SH, Labels: { 'org.opencontainers.image.author': 'label', a: 'b' } },
      {},
      { author: 'me' },
    );
    expect(annotations).toEqual({
      'org.opencontainers.image.os': 'linux',
      'org.opencontainers.image.architecture': 'amd64',
      'org.opencontainers.image.author': 'label',
      a: 'b',
    });
  });

  it('leaves out labels that would command a runtime', () => {
    const Labels = {
      'org.systemd.property.ExecStop': "['/x']",
      'org.criu.config': '/etc/shadow',
      'run.oci.handler': 'krun',
      'io.katacontainers.config.hypervisor.path': '/x',
      bundle: '/x',
      'bundle.of': 'joy',
    };
    const { annotations } = convert({ ...SH, Labels });
    expect(Object.keys(annotations).filter((key) => key in Labels)).toEqual(['bundle.of']);
  });
});

describe('imageProcess(): volumes (L-11)', () => {
  const destinations = (...paths: string[]): (string | undefined)[] => {
    const Volumes = Object.fromEntries(paths.map((path) => [path, {}]));
    return convert({ ...SH, Volumes }).mounts.map(({ destination }) => destination);
  };

  it('are tmpfs mounts that start with what the image has there', () => {
    expect(convert({ ...SH, Volumes: { '/data': {} } }).mounts).toEqual([
      { destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'tmpcopyup'] },
    ]);
    expect(convert(SH).mounts).toEqual([]);
  });

  it('stay in the container, whatever their paths say', () => {
    expect(destinations('/../../../var/lib/x', 'relative', '/a/./b//c/', '/a/../b')).toEqual([
      '/var/lib/x',
      '/relative',
      '/a/b/c',
      '/b',
    ]);
  });

  for (const path of ['/', '/..', '.', '/a/..', 'a\0b']) {
    it(`cannot be ${JSON.stringify(path)}`, async () => {
      expect(await failureOf(() => destinations(path))).toBe(
        `the image wants a volume at ${JSON.stringify(path)}, which cannot be one`,
      );
    });
  }
});
