import { existsSync, readFileSync } from 'node:fs';
import { loadContainer } from '../container.ts';
import { explain, RuntimeError } from '../errors.ts';
import { type ShownState, shownState } from '../shown-state.ts';
import { StateStore } from '../state-store.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';

const COLUMNS = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'] as const;
/** Go's tabwriter as runc sets it up. */
const WIDTH_MIN = 12;
const PADDING = 3;

export const command = defineCommand({
  name: 'list',
  summary: 'list the containers',
  examples: [
    ['hull list', 'a table'],
    ['hull list --format json', 'for programs'],
    ['hull list -q', 'ids only'],
  ],
  operands: '',
  options: {
    format: { type: 'string', short: 'f', value: 'format', help: 'table or json (default: table)' },
    quiet: { type: 'boolean', short: 'q', help: 'print ids only' },
  },
  run(_operands, { format = 'table', quiet }, { root, isDefaultRoot, log }) {
    if (!existsSync(root) && !isDefaultRoot) {
      throw new RuntimeError(
        'NO_ROOT',
        `cannot list the containers in ${JSON.stringify(root)}: no such directory`,
      );
    }
    const states = existsSync(root) ? readAll(StateStore.open(root), (message) => log.warning(message)) : [];
    if (quiet) print(states.map(({ id }) => `${id}\n`).join(''));
    else if (format === 'json') print(`${states.length === 0 ? 'null' : JSON.stringify(states)}\n`);
    else if (format === 'table') print(table(states));
    else throw new RuntimeError('USAGE', `invalid format option ${JSON.stringify(format)}: table or json`);
  },
});

/** One that is just being created or deleted is left out; one that cannot be read is worth a warning. */
function readAll(store: StateStore, warn: (message: string) => void): ShownState[] {
  const names = new Map<number, string>();
  const states: ShownState[] = [];
  for (const id of store.ids()) {
    try {
      const container = loadContainer(store, id);
      states.push(shownState(container, ownerName(container.saved.owner, names)));
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'NOT_FOUND') continue;
      warn(`container ${id}: ${explain(error)}`);
    }
  }
  return states;
}

/** From the host's own /etc/passwd; a network directory is not asked. */
function ownerName(uid: number, names: Map<number, string>): string {
  if (uid === 0) return 'root';
  if (names.size === 0) {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name = '', , number = ''] = line.split(':');
      if (name !== '') names.set(Number(number), name);
    }
  }
  return names.get(uid) ?? `#${uid}`;
}

function table(states: readonly ShownState[]): string {
  const rows = states.map((s) => [s.id, String(s.pid), s.status, s.bundle, s.created, s.owner]);
  const all: readonly (readonly string[])[] = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) =>
    Math.max(WIDTH_MIN, PADDING + Math.max(...all.map((row) => row[column]?.length ?? 0))),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join(''),
    )
    .map((line) => `${line}\n`)
    .join('');
}
