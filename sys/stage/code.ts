// The interpreter's machine code, as the release carries it or as it is assembled here.
import type { Architecture } from '../abi/syscalls.ts';
import { assembleInterpreter } from './interpreter.ts';

/** In base64, from bin/build.ts: assembling takes a millisecond of a command that has thirty. */
declare const HULL_STAGE_X64: string | undefined;
declare const HULL_STAGE_ARM64: string | undefined;

// As one expression, so that the build sees that it needs no assembler.
export const interpreterCode = (architecture: Architecture): Uint8Array =>
  typeof HULL_STAGE_X64 === 'string' && typeof HULL_STAGE_ARM64 === 'string'
    ? Buffer.from(architecture === 'x64' ? HULL_STAGE_X64 : HULL_STAGE_ARM64, 'base64')
    : assembledOnce(architecture);

const assembled = new Map<Architecture, Uint8Array>();

function assembledOnce(architecture: Architecture): Uint8Array {
  let code = assembled.get(architecture);
  if (code === undefined) {
    code = assembleInterpreter(architecture);
    assembled.set(architecture, code);
  }
  return code;
}
