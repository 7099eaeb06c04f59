// Layers unpacked into one plain directory: for kernels without EROFS, users who may not mount, and people who look.
import { chmodSync, closeSync, constants, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { errnoName, isErrno, SysError } from '../../sys/errno.ts';
import { trySyscall } from '../../sys/syscall.ts';
import { ImageError } from '../error.ts';
import type { Attributes, LayerEntry } from '../layer/entry.ts';
import type { LayerSink } from '../layer/sink.ts';
import { MergedTree } from '../tree/merge.ts';
import type { Ownership, Setter } from './attributes.ts';
import { TreeWriter } from './tree-writer.ts';

export interface UnpackReport {
  /** What was left out, one line each: `device nodes (12)`. */
  readonly warnings: readonly string[];
}

/**
 * Unpacks into `target`, which is new or empty, what `feed` puts into the sink. On any error nothing of it remains.
 * @param ownership Root keeps the image's owners, others cannot.
 * @throws {LayerError | ImageError | SysError}
 */
export async function unpackTree(
  target: string,
  feed: (sink: UnpackSink) => Promise<void>,
  ownership: Ownership = process.geteuid?.() === 0 ? 'exact' : 'own',
): Promise<UnpackReport> {
  const isNew = prepareTarget(target);
  try {
    return await unpackInto(target, feed, ownership);
  } catch (error) {
    for (const name of readdirSync(target)) rmSync(`${target}/${name}`, { recursive: true, force: true });
    if (isNew) rmSync(target, { recursive: true, force: true });
    throw error;
  }
}

async function unpackInto(
  target: string,
  feed: (sink: UnpackSink) => Promise<void>,
  ownership: Ownership,
): Promise<UnpackReport> {
  const warnings = new Map<string, number>();
  const warn = (subject: string): void => {
    warnings.set(subject, (warnings.get(subject) ?? 0) + 1);
  };
  const rootFd = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    dropAcls(rootFd);
    const sink = new UnpackSink(rootFd, { ownership, warn });
    using writer = sink.writer;
    await feed(sink);
    writer.finish();
  } finally {
    closeSync(rootFd);
  }
  return { warnings: [...warnings].map(([subject, count]) => `${subject} (${count})`) };
}

/** Applies what the layers say to a tree in memory, which tells the writer what that means on disk. */
export class UnpackSink implements LayerSink<void> {
  readonly writer: TreeWriter;
  readonly #tree: MergedTree;

  constructor(rootFd: number, setter: Setter) {
    this.#tree = new MergedTree();
    this.writer = new TreeWriter(this.#tree.root, rootFd, setter);
    this.#tree.observe(this.writer);
  }

  /** What follows, until the next call, is one layer; the base comes first. */
  beginLayer(): void {
    this.#tree.beginLayer();
  }

  set root(attributes: Attributes) {
    this.#tree.root.attributes = attributes;
  }

  entry(entry: LayerEntry): void {
    this.#tree.apply(entry);
  }

  content(chunk: Uint8Array): void {
    this.writer.write(chunk);
  }

  hole(bytes: number): void {
    this.writer.skip(bytes);
  }

  end(): void {
    this.writer.finishFile();
  }
}

/** Whether it had to be made. */
function prepareTarget(target: string): boolean {
  try {
    mkdirSync(target, { mode: 0o700 });
    return true;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
  const entries = readdirSync(target);
  if (entries.length > 0) throw new ImageError('STORE', `cannot unpack into "${target}": it is not empty`);
  // Until all is there and has its owner and mode, nobody else looks in (CVE-2025-47290).
  chmodSync(target, 0o700);
  return false;
}

/** What files would inherit from a directory that somebody else has set up. */
const INHERITED_XATTRS = ['system.posix_acl_default', 'system.posix_acl_access'];

function dropAcls(fd: number): void {
  for (const name of INHERITED_XATTRS) {
    const result = trySyscall('fremovexattr', fd, name);
    if (result < 0 && !['ENODATA', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoName(-result))) {
      throw new SysError('fremovexattr', -result, name);
    }
  }
}
