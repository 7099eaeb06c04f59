// Steps with which a stage reads its own /proc, as seen from inside.
import { AT_FDCWD, O_RDONLY } from '../../sys/abi/constants.ts';
import { buffer, cString, type Program, type Slot, slot } from '../../sys/plan/program.ts';

const PAGE_BYTES = 4096;

const openFile = (p: Program, path: string): Slot => {
  const fd = slot(`fd of ${path}`);
  p.call(`open "${path}"`, 'openat', [AT_FDCWD, cString(path), O_RDONLY, 0], { into: fd });
  return fd;
};

/** Appends what `call` gives about the open file, until it gives nothing, to the descriptor in `output`. */
function copyAll(p: Program, call: 'read' | 'getdents64', path: string, output: Slot): void {
  const [fd, bytes] = [openFile(p, path), slot(`bytes of ${path}`)];
  const page = buffer(`page of ${path}`, PAGE_BYTES);
  const [again, end] = [p.fresh('again'), p.fresh('end')];
  p.mark(again);
  p.call(`read "${path}"`, call, [fd, page, PAGE_BYTES], { into: bytes });
  p.branch('at the end', bytes, 'equal', 0, end);
  p.call('write', 'write', [output, page, bytes]);
  p.goTo(again);
  p.mark(end);
  p.call(`close "${path}"`, 'close', [fd]);
}

export const copyFile = (p: Program, path: string, output: Slot): void => copyAll(p, 'read', path, output);

/** As raw directory entries: {@link entryNames} reads them. */
export const copyDirectory = (p: Program, path: string, output: Slot): void =>
  copyAll(p, 'getdents64', path, output);

export function copyLink(p: Program, path: string, output: Slot): void {
  const [target, bytes] = [buffer(`target of ${path}`, PAGE_BYTES), slot(`length of ${path}`)];
  p.call(`read link "${path}"`, 'readlinkat', [AT_FDCWD, cString(path), target, PAGE_BYTES], { into: bytes });
  p.call('write', 'write', [output, target, bytes]);
}

/** struct linux_dirent64: d_reclen at 16, d_name at 19. */
export function entryNames(bytes: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt16LE(at + 16)) {
    names.push(bytes.toString('utf8', at + 19, bytes.indexOf(0, at + 19)));
  }
  return names.filter((name) => name !== '.' && name !== '..');
}
