// Headers that describe the entry after them: PAX records and GNU long names.
import { LayerError } from '../layer/error.ts';
import type { Typeflag } from './header.ts';
import { type PaxRecord, parsePaxRecords } from './pax.ts';

export type ExtensionType = 'pax' | 'global-pax' | 'gnu-name' | 'gnu-link-name';

/** What they have said about the entry to come. */
export interface Extensions {
  readonly records: readonly PaxRecord[];
  readonly gnuName: string | undefined;
  readonly gnuLinkName: string | undefined;
}

export const NO_EXTENSIONS: Extensions = { records: [], gnuName: undefined, gnuLinkName: undefined };

/** What a global header may not say: it would change which entries there are, and readers differ on obeying it. */
const GLOBAL_KEYS_REFUSED = /^(path|linkpath|size|GNU\.sparse\..*)$/;

export const isExtension = (type: Typeflag): type is ExtensionType =>
  type === 'pax' || type === 'global-pax' || type === 'gnu-name' || type === 'gnu-link-name';

/** `extensions` with one more; of two of a kind the later counts. */
export function extend(extensions: Extensions, type: ExtensionType, body: Buffer): Extensions {
  switch (type) {
    case 'pax':
      return { ...extensions, records: parsePaxRecords(body) };
    case 'gnu-name':
      return { ...extensions, gnuName: untilNul(body) };
    case 'gnu-link-name':
      return { ...extensions, gnuLinkName: untilNul(body) };
    case 'global-pax':
      checkGlobal(parsePaxRecords(body));
      return extensions;
  }
}

function untilNul(body: Buffer): string {
  const nul = body.indexOf(0);
  const name = body.toString('latin1', 0, nul === -1 ? body.length : nul);
  if (name === '') throw new LayerError('MALFORMED', 'cannot read tar header: a long name is empty');
  return name;
}

/** Global headers are well-formed and mean nothing, as for Go and with it every engine. */
function checkGlobal(records: readonly PaxRecord[]): void {
  const refused = records.find(({ key, value }) => value.length > 0 && GLOBAL_KEYS_REFUSED.test(key));
  if (refused === undefined) return;
  throw new LayerError(
    'UNSUPPORTED',
    `cannot take a global pax header that sets ${refused.key} for all entries`,
  );
}
