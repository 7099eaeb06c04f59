/** What strace -f has seen, as calls in the order in which they began. */

import { readFileSync } from 'node:fs';
import { until } from './child.ts';
import { type FoundProcess, processesOf } from './processes.ts';

export interface TracedCall {
  readonly pid: number;
  readonly name: string;
  /** As strace decodes them: `{flags=O_PATH, …}` is one. */
  readonly arguments: readonly string[];
  /** NaN for a call that did not return. */
  readonly result: number;
  readonly errno: string | undefined;
  /** Of clone: the child, which may have another number in its parent's namespace. */
  readonly child: number | undefined;
}

/** Everything in full, and the traced program stays a child of who started it. */
export const straceTo = (file: string): string[] => [
  'strace',
  '-D',
  '-f',
  '-qq',
  '-v',
  '--decode-pids=pidns',
  '-s',
  '65536',
  '-o',
  file,
];

/** The tracer writes its last line when the last of the traced processes has ended. */
export async function readTrace(scratch: string, file: string): Promise<TracedCall[]> {
  const isTracer = ({ command }: FoundProcess): boolean => command.startsWith('strace ');
  await until('the tracer to end', () => !processesOf(scratch, []).some(isTracer));
  return parseTrace(readFileSync(file, 'utf8'));
}

const LINE = /^(\d+)\s+(.*)$/s;
const STARTED = /^(\w+)\((.*?)(?: <unfinished \.\.\.>)?$/s;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/s;
const COMPLETE = /^(\w+)\((.*)\)\s+= (.+)$/s;

function parseTrace(text: string): TracedCall[] {
  const calls: TracedCall[] = [];
  const unfinished = new Map<string, { readonly at: number; readonly text: string }>();
  for (const line of text.split('\n')) {
    const [, pid = '', event = ''] = LINE.exec(line) ?? [];
    const resumed = RESUMED.exec(event);
    if (resumed !== null) {
      const begun = unfinished.get(pid);
      unfinished.delete(pid);
      if (begun !== undefined) calls[begun.at] = parseCall(pid, begun.text + (resumed[2] ?? ''));
    } else if (event.endsWith('<unfinished ...>')) {
      const [, name = '', args = ''] = STARTED.exec(event) ?? [];
      unfinished.set(pid, { at: calls.length, text: `${name}(${args}` });
      calls.push(parseCall(pid, `${name}(${args}) = ?`));
    } else if (/^\w+\(/.test(event)) calls.push(parseCall(pid, event));
  }
  return calls;
}

// 2 /* 20023 in strace's PID NS */
const OTHER_PID = / \/\* (\d+) in strace's PID NS \*\//;

function parseCall(pid: string, text: string): TracedCall {
  const [, name = '', args = '', outcome = ''] = COMPLETE.exec(text) ?? [];
  if (name === '') throw new Error(`cannot read the trace ${JSON.stringify(text.slice(0, 200))}`);
  const [, result = 'NaN', errno] = /^(-?\d+|0x[0-9a-f]+)(?: (E[A-Z0-9]+))?/.exec(outcome) ?? [];
  const isClone = /^clone/.test(name) && Number(result) > 0;
  return {
    pid: Number(pid),
    name,
    arguments: name === 'clone' ? cloneArguments(args) : splitArguments(args).map(withoutOtherPid),
    result: Number(result),
    errno,
    child: isClone ? Number(OTHER_PID.exec(outcome)?.[1] ?? result) : undefined,
  };
}

const withoutOtherPid = (text: string): string => text.replace(OTHER_PID, '');

/** By name, in an order that is not the call's: the flags alone. */
const cloneArguments = (args: string): string[] => [/flags=([^,]*)/.exec(args)?.[1] ?? ''];

const OPENING = '([{';
const CLOSING = ')]}';

/** At the commas that are in no brackets and no string. */
export function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let [depth, start, inString] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (inString && character === '\\') at += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (OPENING.includes(character)) depth += 1;
    else if (CLOSING.includes(character)) depth -= 1;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === '' ? parts : [...parts, last];
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };

/** A string as strace quotes it, in C's way. */
export function unquote(text: string): string {
  return text
    .replace(/^"|"(?:...)?$/g, '')
    .replace(/\\([0-7]{1,3}|.)/gs, (_, escaped: string) =>
      /^[0-7]/.test(escaped)
        ? String.fromCharCode(Number.parseInt(escaped, 8))
        : (ESCAPES[escaped] ?? escaped),
    );
}
