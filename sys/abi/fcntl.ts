// The open(2) flags that asm/fcntl.h of arm64 numbers differently from asm-generic/fcntl.h.
import type { Architecture } from './syscalls.ts';

const DIFFERING = {
  x64: { O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000, O_DIRECT: 0o40000 },
  arm64: { O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000, O_DIRECT: 0o200000 },
} as const;

export function fcntlFlags(architecture: Architecture): {
  O_DIRECTORY: number;
  O_NOFOLLOW: number;
  O_DIRECT: number;
} {
  return DIFFERING[architecture];
}

/** The architecture that this process runs on. */
export const HOST_ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
export const { O_DIRECTORY, O_NOFOLLOW } = DIFFERING[HOST_ARCHITECTURE];
