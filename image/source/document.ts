// Which document of an image it is that breaks a rule: the standard's parsers only know where in it.
import { DocumentError } from '../../spec/spec-error.ts';
import { ImageError } from '../error.ts';

/** Runs one of spec's parsers on `subject`, such as `index.json of "/images/busybox"`. @throws {ImageError} */
export function parseDocument<T>(subject: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    throw new ImageError('REJECTED', `${subject} is not valid`, { cause: error });
  }
}
