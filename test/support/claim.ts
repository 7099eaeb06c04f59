/** Tests of claims that some released runtimes do not fulfil, which proves that the tests can fail. */

import { it } from 'vitest';
import { findRuntime, isKnownBad, selectedRuntime } from './runtime.ts';

/**
 * `it`, but where the runtime under test is one of `knownBad` (`['runc 1.1.5']`), the same test has to fail.
 * The reason belongs in a comment beside the list.
 */
export function itExcept(...knownBad: string[]): typeof it | typeof it.fails {
  return isKnownBad(findRuntime(selectedRuntime()), knownBad) ? it.fails : it;
}
