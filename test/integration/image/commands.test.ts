import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Ended, HULL, hull } from '../../support/hull.ts';
import { dockerArchive, makeLayout } from '../../support/image/layout.ts';
import { Scratch } from '../../support/image/scratch.ts';
import * as tar from '../../support/tar-maker.ts';

const BASE = tar.archive(tar.directory('etc/'), tar.file('etc/a', 'one'));
const TOP = tar.archive(tar.directory('etc/'), tar.file('etc/b', 'two'));

/** `hull image NAME --store …`, with operands after it. */
const image = (scratch: Scratch, name: string, ...args: string[]): Ended =>
  hull(['image', name, '--store', scratch.join('store'), ...args], { cwd: scratch.path });

function imported(scratch: Scratch): void {
  makeLayout(scratch.join('demo'), [BASE, TOP]);
  const { status, stderr } = image(scratch, 'import', 'oci:demo');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

describe('hull image', () => {
  it('lists its commands, and each explains itself', () => {
    const { status, stdout } = hull(['image']);
    expect(status).toBe(0);
    expect(stdout).toContain('Usage: hull image [options] <command> [arguments...]\n');
    for (const args of [
      ['image', '--help'],
      ['help', 'image'],
    ])
      expect(hull(args).stdout).toBe(stdout);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map(([, name = '']) => name);
    expect(names).toEqual(['import', 'inspect', 'ls', 'rm', 'unpack']);
    for (const name of names) {
      const help = hull(['image', name, '--help']);
      expect(help.stdout).toContain(`Usage: hull image ${name} [options]`);
      expect(help.stdout).toContain('Examples:\n');
      expect(hull(['help', 'image', name])).toEqual(help);
    }
  });

  it('knows no other commands', () => {
    expect(hull(['image', 'sl'])).toEqual({
      status: 3,
      stdout: '',
      stderr: 'No help topic for \'image sl\'\ndid you mean "image ls" or "image rm"?\n',
    });
    expect(hull(['import']).stderr).toContain("No help topic for 'import'\n");
  });
});

describe('hull image import', () => {
  it('prints the name and the ID', () => {
    using scratch = new Scratch();
    makeLayout(scratch.join('demo'), [BASE]);
    const { status, stdout, stderr } = image(scratch, 'import', 'oci:demo:latest');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^demo:latest sha256:[0-9a-f]{64}\n$/);
  });

  it('takes a name, and says what it did as JSON', () => {
    using scratch = new Scratch();
    makeLayout(scratch.join('demo'), [BASE]);
    const { stdout } = image(scratch, 'import', '--name', 'web:1', '--json', 'oci:demo');
    expect(JSON.parse(stdout)).toMatchObject({ name: 'web:1', source: 'oci:demo', layers: [{}] });
  });

  it('reads what docker save prints', () => {
    using scratch = new Scratch();
    writeFileSync(scratch.join('saved.tar'), dockerArchive([{ repoTags: ['saved:3'], archives: [BASE] }]));
    const line = `cat saved.tar | "${HULL}" image import --store store docker-archive:/dev/stdin`;
    const { status, stdout } = spawnSync('sh', ['-c', line], { cwd: scratch.path, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^saved:3 sha256:/);
  });

  // biome-ignore format: a table
  const FAILURES: [args: string[], message: RegExp][] = [
    [['oci:demo:2'],                                /^cannot import "oci:demo:2": "demo" has no tag "2"; it has: "latest"\n$/],
    [['oci:missing'],                               /^cannot import "oci:missing": there is no "missing"\n$/],
    [['oci:saved.tar'],                             /^cannot import "oci:saved.tar": "saved.tar" is not a directory; for a layout in an archive say oci-archive:\n$/],
    [['oci-archive:demo'],                          /^cannot import "oci-archive:demo": "demo" is a directory; for a layout in a directory say oci:\n$/],
    [['busybox'],                                   /^cannot read image reference "busybox": unknown transport; known are /],
    [['--name', 'Bad Name', 'oci:demo'],            /^image name "Bad Name" is not of the form \[HOST\/\]NAME\[:TAG\]\n$/],
    [['--platform', 'linux/mips64', 'oci:demo'],    /^cannot import "oci:demo": image is for linux\/.*, not for linux\/mips64\n$/],
    [['--platform', 'a/b/c/d', 'oci:demo'],         /^invalid platform "a\/b\/c\/d": not OS\/ARCH\[\/VARIANT\]\n$/],
  ];
  for (const [args, message] of FAILURES) {
    it(`says in one line what is wrong with ${args.join(' ')}`, () => {
      using scratch = new Scratch();
      makeLayout(scratch.join('demo'), [BASE]);
      writeFileSync(scratch.join('saved.tar'), '');
      const { status, stdout, stderr } = image(scratch, 'import', ...args);
      expect(stderr).toMatch(message);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    });
  }

  it('shows how far it is on a terminal, and nothing of that afterwards', () => {
    using scratch = new Scratch();
    makeLayout(scratch.join('demo'), [BASE, TOP]);
    const line = `"${HULL}" image import --store store oci:demo`;
    const shown = execFileSync('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      cwd: scratch.path,
      encoding: 'utf8',
    });
    const [before = '', after] = shown.split(`\r\u001b[K`);
    expect(before).toMatch(/^\rimporting oci:demo: 0 %, 0 B of \d+ B, layer 1 of 2/);
    expect(after).toMatch(/^demo:latest sha256:[0-9a-f]{64}\r\n$/);
  });
});

describe('hull image ls', () => {
  it('prints a table, names, or JSON', () => {
    using scratch = new Scratch();
    expect(image(scratch, 'ls').stdout).toBe('NAME  ID  PLATFORM  LAYERS  SIZE  IMPORTED\n');
    imported(scratch);
    const lines = image(scratch, 'ls').stdout.split('\n');
    expect(lines[0]).toMatch(/^NAME +ID +PLATFORM +LAYERS +SIZE +IMPORTED$/);
    expect(lines[1]).toMatch(
      /^demo:latest {2}[0-9a-f]{12} {2}linux\/\w+ {2} +2 {2} *[\d.]+ kB {2}\d{4}-\d\d-\d\d \d\d:\d\d$/,
    );
    expect(image(scratch, 'ls', '-q').stdout).toBe('demo:latest\n');
    const [listed] = JSON.parse(image(scratch, 'ls', '--json').stdout);
    expect(listed).toMatchObject({ name: 'demo:latest', layers: [{}, {}] });
  });
});

describe('hull image inspect', () => {
  it('prints everything, by name or by the beginning of the ID', () => {
    using scratch = new Scratch();
    imported(scratch);
    const { stdout } = image(scratch, 'inspect', 'demo');
    const shown = JSON.parse(stdout);
    expect(shown).toMatchObject({ name: 'demo:latest', config: { os: 'linux' }, source: 'oci:demo' });
    expect(shown.files.every((file: string) => readFileSync(file).length === 8192)).toBe(true);
    expect(image(scratch, 'inspect', shown.id.slice(7, 19)).stdout).toBe(stdout);
    expect(image(scratch, 'inspect', 'other')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'there is no image "other" in the store\n',
    });
  });
});

describe('hull image unpack', () => {
  it('writes the root of a stored image, or of one that is not stored', () => {
    using scratch = new Scratch();
    imported(scratch);
    expect(image(scratch, 'unpack', 'demo', 'root').stderr).toBe('');
    expect(readdirSync(scratch.join('root/etc'))).toEqual(['a', 'b']);
    expect(image(scratch, 'unpack', 'oci:demo', 'root2').stderr).toBe('');
    expect(readdirSync(scratch.join('root2/etc'))).toEqual(['a', 'b']);
    const again = image(scratch, 'unpack', 'demo', 'root');
    expect(again).toEqual({ status: 1, stdout: '', stderr: 'cannot unpack into "root": it is not empty\n' });
  });
});

describe('hull image rm', () => {
  it('removes images and what only they needed', () => {
    using scratch = new Scratch();
    imported(scratch);
    image(scratch, 'import', '--name', 'other', 'oci:demo');
    expect(image(scratch, 'rm', 'demo', 'missing')).toEqual({
      status: 1,
      stdout: 'demo:latest\n',
      stderr: 'there is no image "missing" in the store\n',
    });
    expect(JSON.parse(image(scratch, 'rm', '--json', 'other').stdout)).toMatchObject({
      name: 'other:latest',
      isCollected: true,
    });
    expect(image(scratch, 'ls', '-q').stdout).toBe('');
    expect(readdirSync(scratch.join('store/image/layers/sha256'))).toEqual([]);
  });
});

describe('the store of the command line', () => {
  it('is the user’s own where nobody says', () => {
    using scratch = new Scratch();
    mkdirSync(scratch.join('data'), { mode: 0o700 });
    execFileSync('chown', ['65534:65534', scratch.path, scratch.join('data')]);
    const env = { XDG_DATA_HOME: scratch.join('data'), HOME: scratch.path };
    const { status, stderr } = hull(['image', 'ls'], { uid: 65534, env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(scratch.join('data/hull/image'))).toContain('layers');
  });
});
