import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { O_CREAT, O_EXCL, O_PATH, O_RDONLY, O_WRONLY } from '../../../sys/abi/constants.ts';
import { Fd } from '../../../sys/fd.ts';
import { Root, STRICTLY_BENEATH } from '../../../sys/path.ts';
import { syscall } from '../../../sys/syscall.ts';

let top = '';
const inRoot = (path: string): string => join(top, 'root', path);

/** What the file holds, or the code of the error. */
function read(root: Root, path: string): string {
  try {
    using fd = root.openAt(path, O_RDONLY);
    return readFileSync(fd.number, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'hull-path-'));
  writeFileSync(join(top, 'secret'), 'outside');
  mkdirSync(inRoot('etc/deep'), { recursive: true });
  writeFileSync(inRoot('etc/file'), 'inside');
  writeFileSync(inRoot('secret'), 'decoy');
  // What names the file outside, for whoever resolves it as the host does.
  symlinkSync(join(top, 'secret'), inRoot('absolute'));
  symlinkSync('../secret', inRoot('up'));
  symlinkSync(`${'../'.repeat(30)}${top.slice(1)}/secret`, inRoot('far-up'));
  symlinkSync('..', inRoot('parent'));
  symlinkSync('/etc/file', inRoot('honest-absolute'));
  symlinkSync('file', inRoot('etc/honest'));
  symlinkSync('b', inRoot('a'));
  symlinkSync('a', inRoot('b'));
  for (let i = 0; i < 60; i++) symlinkSync(i === 0 ? 'etc/file' : `chain${i - 1}`, inRoot(`chain${i}`));
});
afterAll(() => rmSync(top, { recursive: true }));

describe('Root, for what a container or an image controls', () => {
  // biome-ignore format: a table
  const PATHS: [path: string, scoped: string, host: string][] = [
    ['absolute',           'ENOENT', 'outside'],
    ['up',                 'decoy',  'outside'],
    ['far-up',             'ENOENT', 'outside'],
    ['parent/secret',      'decoy',  'outside'],
    ['../secret',          'decoy',  'outside'],
    ['etc/../../secret',   'decoy',  'outside'],
    ['etc/deep/../honest', 'inside', 'inside'],
  ];
  for (const [path, scoped, host] of PATHS) {
    it(`never leads ${path} out of the root, where the host's own resolution leads it`, () => {
      using root = Root.open(inRoot('.'));
      expect(read(root, path)).toBe(scoped);
      expect(readFileSync(`${inRoot('.')}/${path}`, 'utf8')).toBe(host);
    });
  }

  it('takes an absolute path or symlink as one from the root', () => {
    using root = Root.open(inRoot('.'));
    expect([read(root, '/etc/file'), read(root, 'honest-absolute')]).toEqual(['inside', 'inside']);
  });

  it('ends with ELOOP in a loop and in too long a chain, but follows a short one', () => {
    using root = Root.open(inRoot('.'));
    expect([read(root, 'a'), read(root, 'chain59'), read(root, 'chain20')]).toEqual([
      'ELOOP',
      'ELOOP',
      'inside',
    ]);
  });

  it('follows no magic link, which leads anywhere, though procfs itself can be read', () => {
    using proc = Root.open('/proc');
    using secret = new Fd(openSync(join(top, 'secret'), 'r'));
    for (const link of [
      `self/fd/${secret.number}`,
      'self/exe',
      'self/root/etc/hostname',
      'self/cwd/package.json',
    ]) {
      expect([link, read(proc, link)]).toEqual([link, 'ELOOP']);
    }
    expect(readFileSync(`/proc/self/fd/${secret.number}`, 'utf8')).toBe('outside');
    expect(read(proc, 'self/comm')).not.toBe('');
  });

  it('is not led out by directories that are renamed meanwhile', async () => {
    for (const name of ['swap', 'other']) mkdirSync(inRoot(`${name}/deep`), { recursive: true });
    const script = `
      const { renameSync } = require('node:fs');
      const { parentPort, workerData: dir } = require('node:worker_threads');
      let running = true;
      parentPort.once('message', () => { running = false; });
      const swap = () => {
        for (let i = 0; i < 200; i++) {
          renameSync(dir + '/swap/deep', dir + '/moved');
          renameSync(dir + '/moved', dir + '/swap/deep');
        }
        if (running) setImmediate(swap); else parentPort.postMessage('done');
      };
      parentPort.postMessage('started');
      swap();`;
    const worker = new Worker(script, { eval: true, workerData: inRoot('.') });
    try {
      await new Promise((resolve) => worker.once('message', resolve));
      using root = Root.open(inRoot('.'));
      const seen = new Set<string>();
      for (let i = 0; i < 3000; i++) seen.add(read(root, 'swap/deep/../../../../secret'));
      seen.delete('ENOENT'); // moved away
      seen.delete('EAGAIN'); // moved at every attempt
      expect(seen).toEqual(new Set(['decoy']));
      const stopped = new Promise((resolve) => worker.once('message', resolve));
      worker.postMessage('stop');
      await stopped;
    } finally {
      await worker.terminate();
    }
  });
});

describe('Root, strictly beneath', () => {
  it('follows no symlink at all, but opens the same file by its own name', () => {
    using root = Root.open(inRoot('.'), STRICTLY_BENEATH);
    for (const path of ['etc/honest', 'honest-absolute', 'up', 'parent/secret']) {
      expect([path, read(root, path)]).toEqual([path, 'ELOOP']);
    }
    expect(read(root, 'etc/file')).toBe('inside');
  });

  it('leads neither up, nor to an absolute path, nor across a mount', () => {
    using root = Root.open(inRoot('.'), STRICTLY_BENEATH);
    expect([read(root, '../secret'), read(root, '/etc/file')]).toEqual(['EXDEV', 'EXDEV']);
    using host = Root.open('/', STRICTLY_BENEATH);
    using scoped = Root.open('/');
    expect(read(host, 'proc/self/comm')).toBe('EXDEV');
    expect(read(scoped, 'proc/version')).toMatch(/^Linux/);
  });
});

describe('Root', () => {
  it('opens itself by the empty path', () => {
    using root = Root.open(inRoot('etc'));
    using again = root.openAt('', O_PATH);
    using file = new Root(new Fd(again.release())).openAt('file', O_RDONLY);
    expect(readFileSync(file.number, 'utf8')).toBe('inside');
  });

  it('makes every descriptor close on exec', () => {
    using root = Root.open(inRoot('.'));
    using fd = root.openAt('etc/file', O_RDONLY);
    for (const { number } of [root.fd, fd]) expect(syscall('fcntl', number, 1)).toBe(1);
  });

  it('creates with the mode that it is told', () => {
    using root = Root.open(inRoot('.'));
    using made = root.openAt('etc/made', O_CREAT | O_EXCL | O_WRONLY, 0o600);
    expect(made.number).toBeGreaterThan(2);
    expect(() => root.openAt('etc/made', O_CREAT | O_EXCL | O_WRONLY, 0o600)).toThrow(
      '"etc/made": file exists',
    );
  });

  it('tells what is missing from what is refused', () => {
    using root = Root.open(inRoot('.'));
    expect(root.tryOpenAt('etc/none', O_RDONLY)).toBeUndefined();
    expect(() => root.tryOpenAt('a', O_RDONLY)).toThrow('openat2 "a": too many levels of symbolic links');
    using file = root.tryOpenAt('etc/file', O_RDONLY);
    expect(file?.number).toBeGreaterThan(2);
    expect(() => root.openAt('etc/none', O_RDONLY)).toThrow('openat2 "etc/none": no such file or directory');
    expect(() => root.openAt('etc/file\0', O_RDONLY)).toThrow('invalid argument');
  });

  it('is a directory', () => {
    expect(() => Root.open(inRoot('etc/file'))).toThrow('not a directory');
  });
});
