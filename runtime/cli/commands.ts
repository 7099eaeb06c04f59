// Every command, imported when it is named: a `state` should not pay for the microVM's code.
import { RuntimeError } from '../errors.ts';
import type { Command } from './command.ts';

interface CommandModule {
  readonly command: Command;
}

const COMMANDS: ReadonlyMap<string, () => Promise<CommandModule>> = new Map([
  ['create', () => import('./create.ts')],
  ['delete', () => import('./delete.ts')],
  ['exec', () => import('./exec.ts')],
  ['image import', () => import('./image/import.ts')],
  ['image inspect', () => import('./image/inspect.ts')],
  ['image ls', () => import('./image/ls.ts')],
  ['image rm', () => import('./image/rm.ts')],
  ['image unpack', () => import('./image/unpack.ts')],
  ['kill', () => import('./kill.ts')],
  ['launch', () => import('./launch.ts')],
  ['list', () => import('./list.ts')],
  ['pause', () => import('./pause.ts')],
  ['plan', () => import('./plan.ts')],
  ['ps', () => import('./ps.ts')],
  ['resume', () => import('./resume.ts')],
  ['run', () => import('./run.ts')],
  ['spec', () => import('./spec.ts')],
  ['start', () => import('./start.ts')],
  ['state', () => import('./state.ts')],
]);

/** What the first word of commands with two words is about. */
const GROUPS: ReadonlyMap<string, string> = new Map([
  ['image', 'images: import, list, unpack, inspect, remove'],
]);

/** `image ls -q` is the command `image ls`; a group alone, or followed by an option, is undefined there. */
export function splitCommand(args: readonly string[]): {
  readonly group?: string;
  readonly name: string | undefined;
  readonly rest: readonly string[];
} {
  const [name, ...rest] = args;
  if (name === undefined || !GROUPS.has(name)) return { name, rest };
  const [second, ...others] = rest;
  if (second === undefined || second.startsWith('-')) return { group: name, name: undefined, rest };
  return { group: name, name: `${name} ${second}`, rest: others };
}

export const groupSummary = (group: string): string => GROUPS.get(group) ?? '';

/** The status that runc's command line ends with when it has no such command. */
const UNKNOWN_COMMAND_STATUS = 3;

/** Edits (insert, delete, replace) from `a` to `b`: Wagner and Fischer's table, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Two slips of the finger, and less than half of what was typed. */
const isNear = (typed: string, name: string): boolean =>
  editDistance(typed.slice(0, 32), name) <= Math.min(2, typed.length / 2);

export function unknownCommand(name: string): RuntimeError {
  const near = [...COMMANDS.keys()].filter((known) => isNear(name, known));
  const hint = near.length === 0 ? 'try "hull --help"' : `did you mean "${near.join('" or "')}"?`;
  return new RuntimeError('USAGE', `No help topic for '${name}'`, {
    hint,
    exitStatus: UNKNOWN_COMMAND_STATUS,
  });
}

export async function loadCommand(name: string): Promise<Command> {
  const load = COMMANDS.get(name);
  if (load === undefined) throw unknownCommand(name);
  return (await load()).command;
}

/** Those of a group, or all. */
export async function loadAllCommands(group?: string): Promise<readonly Command[]> {
  const named = [...COMMANDS].filter(([name]) => group === undefined || name.startsWith(`${group} `));
  const modules = await Promise.all(named.map(([, load]) => load()));
  return modules.map(({ command }) => command).sort((a, b) => (a.name < b.name ? -1 : 1));
}
