// Where images are kept, for every command that needs one.
import path from 'node:path';
import { openStore, type Store } from '../../../image/store/store.ts';
import type { OptionTable } from '../command.ts';

export const STORE_OPTION = {
  store: { type: 'string', value: 'dir', help: 'keep images here (default: /var/lib/hull)' },
} as const satisfies OptionTable;

const DEFAULT_STORE = '/var/lib/hull';

/** What the environment says about where a user's own data lives. */
export interface DataEnvironment {
  readonly XDG_DATA_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/** XDG Base Directory Specification: `$XDG_DATA_HOME`, and `~/.local/share` where that is unset or relative. */
export function defaultStore(euid: number, { XDG_DATA_HOME = '', HOME = '/' }: DataEnvironment): string {
  if (euid === 0) return DEFAULT_STORE;
  const data = path.isAbsolute(XDG_DATA_HOME) ? XDG_DATA_HOME : path.join(HOME, '.local/share');
  return path.join(data, 'hull');
}

export function storeRoot(option: string | undefined): string {
  const isGiven = option !== undefined && option !== '';
  return isGiven ? option : defaultStore(process.geteuid?.() ?? 0, process.env);
}

export const openImageStore = (option: string | undefined): Store => openStore(storeRoot(option));
