// commander's part: arguments that are not plain, what is wrong with them, and --help.
import { Command, CommanderError, Option } from 'commander';
import { RuntimeError } from '../errors.ts';
import { canonicalArguments, flagName, type ParsedArguments } from './arguments.ts';
import type { OptionSpec, OptionTable } from './command.ts';

/** The parts of a command, or of the program itself, that its usage is made of. */
export interface Usage {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly examples: readonly (readonly [commandLine: string, effect: string])[];
  readonly operands: string;
  readonly options: OptionTable;
}

/** commander reads `--no-pivot` as the opposite of `--pivot`; to runc it is an option of that name. */
function optionOf(key: string, spec: OptionSpec): Option {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const value = spec.type === 'boolean' ? '' : ` <${spec.value ?? 'value'}>`;
  const option = new Option(`${short}--${flagName(key)}${value}`, spec.help).hideHelp(spec.hidden === true);
  option.negate = false;
  if (spec.type === 'boolean') option.default(false, 'off');
  if (spec.type === 'list') {
    option.default([], 'none').argParser<readonly string[]>((item, before) => [...before, item]);
  }
  return option;
}

function commanderOf(usage: Usage): Command {
  const command = new Command(usage.name)
    .description(usage.description ?? `${usage.summary.charAt(0).toUpperCase()}${usage.summary.slice(1)}.`)
    .passThroughOptions()
    .helpOption(false)
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .configureHelp({ optionDescription: (option) => option.description });
  for (const [key, spec] of Object.entries(usage.options)) command.addOption(optionOf(key, spec));
  return command;
}

export function parseWithCommander(usage: Usage, args: readonly string[]): ParsedArguments {
  const command = commanderOf(usage);
  try {
    command.parse(canonicalArguments(usage.options, args), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
    const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? `try "${usage.name} --help"`;
    throw new RuntimeError('USAGE', `${usage.name}: ${message}`, { hint });
  }
  return { options: command.opts(), operands: command.args };
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return rows.length === 0 ? '' : `\n${title}:\n${lines.join('\n')}\n`;
}

/** `commands` is for the program itself: each with its summary. */
export function helpText(usage: Usage, commands: readonly (readonly [string, string])[] = []): string {
  const command = commanderOf(usage).usage(`[options] ${usage.operands}`.trimEnd());
  const examples = usage.examples.map(([line, effect]) => `  # ${effect}\n  ${line}\n`);
  const exampleText = examples.length === 0 ? '' : `\nExamples:\n${examples.join('\n')}`;
  return `${command.helpInformation()}${section('Commands', commands)}${exampleText}`;
}
