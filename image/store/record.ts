// What the store knows about an image: one small file for each name.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Annotations } from '../../spec/image/descriptor.ts';
import type { ImageConfig } from '../../spec/image/image-config.ts';
import { isErrno } from '../../sys/errno.ts';
import { ImageError } from '../error.ts';
import type { Attributes } from '../layer/entry.ts';
import { parseImageName } from '../reference.ts';
import type { StackFile } from './layer-file.ts';
import { writeWhole } from './staging.ts';
import type { Store } from './store.ts';

const RECORD_VERSION = 1;

export interface RecordedLayer {
  /** Digest of the uncompressed archive. */
  readonly diffId: string;
  /** Of the blob that it came in, where that had one. */
  readonly digest?: string;
  readonly mediaType: string;
  /** Bytes of the blob. */
  readonly size: number;
}

export interface ImageRecord {
  readonly version: typeof RECORD_VERSION;
  /** In full, with its tag. */
  readonly name: string;
  /** The digest of the configuration, which names the image as Docker does. */
  readonly id: string;
  readonly manifestDigest?: string;
  /** The reference that it was imported from. */
  readonly source: string;
  /** RFC 3339. */
  readonly imported: string;
  readonly config: ImageConfig;
  readonly annotations: Annotations;
  /** The base first. */
  readonly layers: readonly RecordedLayer[];
  /** What is mounted, the lowest first. */
  readonly files: readonly StackFile[];
  readonly root: RecordedRoot;
}

/** Of the root directory; values of extended attributes in base64. */
export interface RecordedRoot extends Omit<Attributes, 'xattrs'> {
  readonly xattrs: Readonly<Record<string, string>>;
}

export type NewRecord = Omit<ImageRecord, 'version'>;

const SUFFIX = '.json';

/** A name with its slashes and colons escaped: readable, and one component. */
const recordFile = (store: Store, name: string): string =>
  path.join(store.directory('images'), encodeURIComponent(name) + SUFFIX);

export function writeRecord(store: Store, record: NewRecord): ImageRecord {
  const full: ImageRecord = { version: RECORD_VERSION, ...record };
  writeWhole(store, recordFile(store, record.name), `${JSON.stringify(full)}\n`, true);
  return full;
}

export const recordRoot = ({ xattrs, ...root }: Attributes): RecordedRoot => ({
  ...root,
  xattrs: Object.fromEntries(xattrs.map(({ name, value }) => [name, value.toString('base64')])),
});

export const recordedRoot = ({ xattrs, ...root }: RecordedRoot): Attributes => ({
  ...root,
  xattrs: Object.entries(xattrs).map(([name, value]) => ({ name, value: Buffer.from(value, 'base64') })),
});

export function removeRecord(store: Store, name: string): void {
  rmSync(recordFile(store, name));
}

/** By name. */
export function listImages(store: Store): ImageRecord[] {
  const files = readdirSync(store.directory('images')).filter((file) => file.endsWith(SUFFIX));
  return files.sort().flatMap((file) => readRecord(path.join(store.directory('images'), file)) ?? []);
}

/** Fewer digits of an ID are too easily a name. */
const ID_DIGITS_MIN = 6;

/**
 * The image that is called `text`: a name, whose tag is `latest` if it has none, or an ID or the beginning of one.
 * @throws {ImageError}
 */
export function findImage(store: Store, text: string): ImageRecord {
  const id = new RegExp(`^(?:sha256:)?([0-9a-f]{${ID_DIGITS_MIN},64})$`).exec(text)?.[1];
  const named = text.startsWith('sha256:') ? undefined : readRecord(recordFile(store, parseImageName(text)));
  if (named !== undefined) return named;
  const images = listImages(store);
  const byId = id === undefined ? [] : images.filter((image) => image.id.startsWith(`sha256:${id}`));
  const [found] = byId;
  if (found === undefined) throw unknownImage(text, images);
  if (byId.some((image) => image.id !== found.id)) {
    throw new ImageError('NOT_FOUND', `"${text}" is the beginning of more than one image's ID`);
  }
  return found;
}

function unknownImage(text: string, images: readonly ImageRecord[]): ImageError {
  const [tagged] = images.filter(({ name }) => name.startsWith(`${text.replace(/:[^/]*$/, '')}:`));
  const hint = tagged === undefined ? '' : `; there is "${tagged.name}"`;
  return new ImageError('NOT_FOUND', `there is no image "${text}" in the store${hint}`);
}

/** Undefined where there is none, also if it vanished since the directory was read. */
function readRecord(file: string): ImageRecord | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const record = JSON.parse(text) as { readonly version?: unknown };
  if (record.version === RECORD_VERSION) return record as ImageRecord;
  throw new ImageError('STORE', `cannot read "${file}": a later version of hull wrote it`);
}
