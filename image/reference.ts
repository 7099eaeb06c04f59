// How an image is named on the command line: `TRANSPORT:PATH[:TAG]` for a source, a plain name in the store.
import path from 'node:path';
import { ImageError } from './error.ts';
import { shortName } from './source/name.ts';

/** The transports of skopeo(1) that read files; the same texts name the same images there. */
export const TRANSPORTS = ['oci', 'oci-archive', 'docker-archive'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface SourceReference {
  readonly transport: Transport;
  readonly path: string;
  /** A tag, a full image name (docker-archive) or a digest. Absent: the source's only image. */
  readonly tag?: string;
}

/** Transports that name a registry or a daemon: known, so that the error can say what to do instead. */
const REMOTE = new Set([
  'docker',
  'docker-daemon',
  'containers-storage',
  'registry',
  'ostree',
  'dir',
  'atomic',
]);

/** No tag of any registry is longer than 128, no name than 255; leaves room for `@sha512:…`. */
const TAG_CHARACTERS_MAX = 512;

/** Whether `text` names a source rather than an image of the store. */
export function isSourceReference(text: string): boolean {
  const transport = text.slice(0, text.indexOf(':'));
  return (
    (TRANSPORTS as readonly string[]).includes(transport) || (REMOTE.has(transport) && /:[./]/.test(text))
  );
}

/** As in skopeo, the path ends at the first colon. @throws {ImageError} */
export function parseSourceReference(text: string): SourceReference {
  const [transport = '', file = '', ...rest] = text.split(':');
  if (!isTransport(transport)) throw unknownTransport(text, transport);
  if (file === '')
    throw new ImageError('REFERENCE', `image reference "${text}" names no path: ${usage(transport)}`);
  if (text.includes('\0')) throw new ImageError('REFERENCE', 'image reference contains a NUL byte');
  if (rest.length === 0) return { transport, path: file };
  const tag = rest.join(':');
  if (tag === '') {
    throw new ImageError(
      'REFERENCE',
      `image reference "${text}" ends with an empty tag: ${usage(transport)}`,
    );
  }
  if (tag.length > TAG_CHARACTERS_MAX) {
    throw new ImageError(
      'REFERENCE',
      `tag of image reference is longer than ${TAG_CHARACTERS_MAX} characters`,
    );
  }
  return { transport, path: file, tag };
}

export const formatSourceReference = ({ transport, path: file, tag }: SourceReference): string =>
  tag === undefined ? `${transport}:${file}` : `${transport}:${file}:${tag}`;

const isTransport = (text: string): text is Transport => (TRANSPORTS as readonly string[]).includes(text);

const usage = (transport: Transport): string => `${transport}:${transport === 'oci' ? 'DIR' : 'FILE'}[:TAG]`;

function unknownTransport(text: string, transport: string): ImageError {
  const known = TRANSPORTS.map(usage).join(', ');
  const why = REMOTE.has(transport)
    ? `"${transport}:" is not a file on this machine (fetch it first, for instance with skopeo copy)`
    : 'unknown transport';
  return new ImageError('REFERENCE', `cannot read image reference "${text}": ${why}; known are ${known}`);
}

/**
 * Names in the store follow Docker's shape, `[HOST[:PORT]/]NAME[:TAG]`, in lower case but for the tag; kept
 * shorter than a file name can be, since each is one.
 */
const COMPONENT = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';
const HOST = '[a-z0-9]+(?:[.-][a-z0-9]+)*(?::[0-9]{1,5})?';
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const NAME = new RegExp(`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*(?::${TAG})?$`);
const NAME_CHARACTERS_MAX = 200;
const DEFAULT_TAG = 'latest';

/** The name in full: a missing tag is `latest`. @throws {ImageError} */
export function parseImageName(text: string): string {
  if (text.length > NAME_CHARACTERS_MAX) {
    throw new ImageError('REFERENCE', `image name is longer than ${NAME_CHARACTERS_MAX} characters`);
  }
  if (!NAME.test(text)) {
    throw new ImageError('REFERENCE', `image name "${text}" is not of the form [HOST/]NAME[:TAG]`);
  }
  const last = text.slice(text.lastIndexOf('/') + 1);
  return last.includes(':') ? text : `${text}:${DEFAULT_TAG}`;
}

/** What an image is called when nobody says: the name in the archive, else that of the file, with the tag. */
export function defaultImageName(reference: SourceReference, nameInSource: string | undefined): string {
  for (const candidate of [nameInSource, reference.tag]) {
    const isFullName = candidate !== undefined && /[/:]/.test(candidate) && !/^sha\d+:/.test(candidate);
    if (!isFullName) continue;
    const name = shortName(candidate);
    if (NAME.test(name)) return parseImageName(name);
  }
  const base = path.basename(path.resolve(reference.path)).replace(/\.(tar|tgz|tar\.gz|oci)$/, '');
  const name =
    base
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'image';
  const tag = nameInSource ?? reference.tag ?? DEFAULT_TAG;
  return parseImageName(`${name}:${new RegExp(`^${TAG}$`).test(tag) ? tag : DEFAULT_TAG}`);
}
