import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyUp } from '../../../runtime/copy-up.ts';
import { AT_FDCWD, O_PATH } from '../../../sys/abi/constants.ts';
import { syscall } from '../../../sys/syscall.ts';
import { Scratch } from '../../support/image/scratch.ts';
import { differences, listDirectory } from '../../support/image/tree-listing.ts';
import type { Listing } from '../../support/layer-image.ts';

const isRoot = process.geteuid?.() === 0;
const S_IFIFO = 0o010000;

/** A root file system with a volume, a place to copy it to, and a file that is no business of either. */
function prepare(scratch: Scratch): string {
  for (const name of ['root', 'root/volume', 'target', 'outside']) mkdirSync(scratch.join(name));
  writeFileSync(scratch.join('outside/canary'), 'untouched', { mode: 0o600 });
  return scratch.join('root/volume');
}

function copy(scratch: Scratch, destination = '/volume'): Listing {
  const target = openSync(scratch.join('target'), O_PATH);
  try {
    copyUp(scratch.join('root'), destination, target);
  } finally {
    closeSync(target);
  }
  return listDirectory(scratch.join('target'));
}

describe('copyUp()', () => {
  it('copies files, directories, symlinks and fifos with owner, mode and times', ({ skip }) => {
    skip(!isRoot, 'needs root, to give files away');
    using scratch = new Scratch();
    const volume = prepare(scratch);
    mkdirSync(path.join(volume, 'directory'));
    writeFileSync(path.join(volume, 'directory/file'), 'x'.repeat(300_000));
    writeFileSync(path.join(volume, 'suid'), '');
    chownSync(path.join(volume, 'suid'), 7, 8);
    chmodSync(path.join(volume, 'suid'), 0o4750);
    syscall('mknodat', AT_FDCWD, path.join(volume, 'fifo'), S_IFIFO | 0o620, 0);
    for (const name of ['directory/file', 'suid', 'fifo'])
      utimesSync(path.join(volume, name), 1, 1_000_000_000);
    symlinkSync('/outside/canary', path.join(volume, 'link'));
    chmodSync(volume, 0o1777);
    utimesSync(path.join(volume, 'directory'), 1, 2);
    utimesSync(volume, 1, 3);
    const copied = copy(scratch);
    const timeless = (listing: Listing): Listing => {
      const { link, fifo, ...rest } = listing; // theirs are of the moment
      const still = [link, fifo].map((entry) => entry && { ...entry, mtime: '' });
      return {
        ...rest,
        ...Object.fromEntries(still.flatMap((entry, n) => (entry ? [[`${n}`, entry]] : []))),
      };
    };
    expect(Object.keys(copied)).toHaveLength(6);
    expect(differences(timeless(copied), timeless(listDirectory(volume)))).toEqual([]);
  });

  it('copies names and targets that are not text', () => {
    using scratch = new Scratch();
    const volume = prepare(scratch);
    const odd = Buffer.from([0x61, 0xff, 0x0a, 0x80]);
    writeFileSync(Buffer.concat([Buffer.from(`${volume}/`), odd]), 'x');
    symlinkSync(odd, path.join(volume, 'link'));
    const copied = copy(scratch);
    expect(copied[odd.toString('latin1')]?.size).toBe(1);
    expect(copied.link?.target).toBe(odd.toString('latin1'));
  });

  it('copies nothing where the image has nothing', () => {
    using scratch = new Scratch();
    prepare(scratch);
    expect(Object.keys(copy(scratch, '/not/there'))).toEqual(['']);
  });

  it('stays in the root when the image has a link out of it there', () => {
    using scratch = new Scratch();
    prepare(scratch);
    symlinkSync(scratch.join('outside'), scratch.join('root/out'));
    symlinkSync('../../outside', scratch.join('root/climb'));
    for (const name of ['out', 'climb']) expect(Object.keys(copy(scratch, `/${name}`))).toEqual(['']);
    writeFileSync(scratch.join('root/volume/inside'), '');
    symlinkSync('/volume', scratch.join('root/within'));
    expect(Object.keys(copy(scratch, '/within'))).toEqual(['', 'inside']);
  });

  it('never follows what is in the place that it copies to', () => {
    using scratch = new Scratch();
    const volume = prepare(scratch);
    writeFileSync(path.join(volume, 'name'), 'from the image');
    symlinkSync(scratch.join('outside/canary'), scratch.join('target/name'));
    const before = listDirectory(scratch.join('outside'));
    expect(() => copy(scratch)).toThrow(/EEXIST|ELOOP|exists/);
    expect(differences(listDirectory(scratch.join('outside')), before)).toEqual([]);
  });

  it('refuses more bytes than a volume is for', () => {
    using scratch = new Scratch();
    const volume = prepare(scratch);
    writeFileSync(path.join(volume, 'large'), '');
    truncateSync(path.join(volume, 'large'), 2 ** 30 + 1);
    expect(() => copy(scratch)).toThrow(`"/volume" to its volume: more than ${2 ** 30} bytes`);
    expect(readdirSync(scratch.join('target'))).toEqual([]);
  });

  it('refuses directories that are too deep, and none below that', () => {
    using scratch = new Scratch();
    const volume = prepare(scratch);
    mkdirSync(path.join(volume, 'd/'.repeat(128)), { recursive: true });
    expect(Object.keys(copy(scratch))).toHaveLength(129);
    mkdirSync(path.join(volume, 'd/'.repeat(129)));
    mkdirSync(scratch.join('fresh'));
    const fresh = openSync(scratch.join('fresh'), O_PATH);
    try {
      expect(() => copyUp(scratch.join('root'), '/volume', fresh)).toThrow('more than 128 levels');
    } finally {
      closeSync(fresh);
    }
  });
});
