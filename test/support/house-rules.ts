// The rules that neither the compiler nor the linter knows, as functions from a file's text to what is wrong with it.
import { dirname, join, normalize } from 'node:path';

/** What a folder at the top may import besides itself: the diagram of docs/architecture.md, downwards only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  sys: [],
  spec: [],
  namespaces: ['sys', 'spec'],
  cgroups: ['sys', 'spec'],
  image: ['sys', 'spec'],
  microvm: ['sys', 'spec'],
  runtime: ['sys', 'spec', 'namespaces', 'cgroups', 'image', 'microvm'],
};

export const SOURCE_FOLDERS: readonly string[] = Object.keys(MAY_IMPORT);

const FILE_LINES_MAX = 400;

const IMPORT = /(?:\bfrom|\bimport\(|\bimport)\s*'([^']+)'/g;

const topFolder = (path: string): string => path.split('/')[0] ?? '';

const importsOf = (source: string): string[] => [...source.matchAll(IMPORT)].map((match) => match[1] ?? '');

/** In a bundle such a name is an object with a getter for each export, made whenever the module is loaded. */
const WHOLE_MODULE = /\bimport \* as \w+ from '\.[^']*'/g;

/** Imports that point up or sideways, and natives where they do not belong. `file` is relative to the root. */
export function importProblems(file: string, source: string): string[] {
  const folder = topFolder(file);
  const allowed = MAY_IMPORT[folder];
  const problems: string[] = [];
  if (allowed !== undefined) {
    for (const [found] of source.matchAll(WHOLE_MODULE)) problems.push(`${file} has ${found}`);
  }
  for (const specifier of importsOf(source)) {
    if (specifier === 'ffi-rs' && file !== 'sys/ffi.ts') problems.push(`${file} imports ffi-rs`);
    if (allowed === undefined || !specifier.startsWith('.')) continue;
    const path = normalize(join(dirname(file), specifier));
    if (path === 'package.json' && folder === 'runtime') continue;
    const target = topFolder(path);
    if (target !== folder && !allowed.includes(target)) problems.push(`${file} imports ${target}/`);
  }
  return problems;
}

/**
 * What reads or ends the whole process, by name. The `process` of a configuration has an `env` too, which may be absent
 * and so is never used without `??` or `?.`.
 */
const PROCESS_WIDE =
  /\bconsole\.\w+|(?<!\.)\bprocess\.(?:argv|env(?!\s*\?)|exit(?:Code)?|stdout|stderr|stdin)\b/g;

/** Only the command line knows that there is a terminal, an environment and an exit status. */
export function processProblems(file: string, source: string): string[] {
  if (topFolder(file) === 'runtime' && file.startsWith('runtime/cli/')) return [];
  return [...withoutComments(source).matchAll(PROCESS_WIDE)].map(([name]) => `${file} uses ${name}`);
}

const UNFINISHED: readonly RegExp[] = [
  /\b(?:TODO|FIXME|XXX)\b/,
  /(?<!function )\bnot implemented\b/i, // ENOSYS is worded so
  /@ts-(?:ignore|expect-error|nocheck)/,
  /\b(?:it|describe|test)\.(?:only|skip|todo)\b/,
  /\benum\s+[A-Z]\w*\s*\{/,
];

export function unfinishedProblems(file: string, source: string): string[] {
  return UNFINISHED.flatMap((pattern) => pattern.exec(source) ?? []).map((found) => `${file} has ${found}`);
}

export function lengthProblems(file: string, source: string): string[] {
  const lines = source.split('\n').length - 1;
  return lines > FILE_LINES_MAX ? [`${file} has ${lines} lines, more than ${FILE_LINES_MAX}`] : [];
}

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

const MARKDOWN_LINK = /\]\(([^)\s]+)\)/g;

/** Links to files that are not there. Text in code fences and spans links to nothing. */
export function linkProblems(file: string, text: string, exists: (path: string) => boolean): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(MARKDOWN_LINK)].map((match) => (match[1] ?? '').split('#')[0] ?? '');
  const relative = targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
  return relative
    .map((target) => normalize(join(dirname(file), target)))
    .filter((path) => !exists(path))
    .map((path) => `${file} links to ${path}`);
}

/** Decision records that share a number, or have none. */
export function numberingProblems(names: readonly string[]): string[] {
  const seen = new Map<string, string>();
  const problems: string[] = [];
  for (const name of names) {
    const number = /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1];
    if (number === undefined) problems.push(`${name} is not named NNNN-title.md`);
    else if (seen.has(number)) problems.push(`${name} and ${seen.get(number)} have one number`);
    else seen.set(number, name);
  }
  return problems;
}
