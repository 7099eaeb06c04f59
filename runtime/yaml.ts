// YAML for people's files; apart from what reads them, since the parser takes milliseconds to load.
import { parse } from 'yaml';
import { RuntimeError } from './errors.ts';

/** @param file for the error. @throws {RuntimeError} */
export function parseYaml(file: string, content: string): unknown {
  try {
    // Aliases can make a small file large; none of ours needs one.
    return parse(content, { maxAliasCount: 0, strict: true, uniqueKeys: true, prettyErrors: false });
  } catch (error) {
    throw new RuntimeError('YAML', `${file}: ${(error as Error).message}`);
  }
}
