// Reads archives with tar-stream, as the second opinion on our reader.
import { extract, type Header } from 'tar-stream';

export interface OtherEntry {
  readonly name: string;
  readonly type: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly data: string;
}

/** A directory with a size makes it wait for ever. */
const DEADLINE_MS = 1000;

/** The entries, or why there are none. */
export function readWithTarStream(archive: Buffer): Promise<OtherEntry[] | string> {
  const entries: OtherEntry[] = [];
  // Its types do not know the option.
  const options: object = { filenameEncoding: 'latin1' };
  const reader = extract(options);
  reader.on('entry', (header, stream, next) => {
    const parts: Buffer[] = [];
    stream.on('data', (part) => parts.push(part as Buffer));
    stream.on('end', () => {
      entries.push(describe(header, Buffer.concat(parts)));
      next();
    });
  });
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      reader.destroy();
      resolve('hangs');
    }, DEADLINE_MS);
    const settle = (outcome: OtherEntry[] | string): void => {
      clearTimeout(deadline);
      resolve(outcome);
    };
    reader.on('finish', () => settle(entries));
    reader.on('error', (error) => settle(error.message));
    reader.end(archive);
  });
}

function describe(header: Header, data: Buffer): OtherEntry {
  return {
    name: header.name,
    type: String(header.type),
    linkName: header.linkname ?? '',
    mode: header.mode ?? 0,
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
    seconds: (header.mtime?.getTime() ?? 0) / 1000,
    data: data.toString('latin1'),
  };
}
