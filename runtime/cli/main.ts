// The program: options, the command's name, the command; and what is said when that fails.
import { exitAtOnce } from '../../sys/ffi.ts';
import { explain, RuntimeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { versionText } from '../version.ts';
import { type ParsedArguments, parsePlainArguments } from './arguments.ts';
import type { Command, CommandContext, OptionSpec } from './command.ts';
import { groupSummary, loadAllCommands, loadCommand, splitCommand } from './commands.ts';
import { contextOf, GLOBAL_OPTIONS, type GlobalOptions, openLog } from './global-options.ts';
import { countProblem } from './operands.ts';
import { complain, OUTPUT_CLOSED, print } from './output.ts';
import type { Usage } from './usage.ts';

const HELP: OptionSpec = { type: 'boolean', short: 'h', help: 'show this help' };

const PROGRAM: Usage = {
  name: 'hull',
  summary: 'run containers and microVMs from OCI bundles',
  operands: '<command> [arguments...]',
  options: { ...GLOBAL_OPTIONS, help: HELP },
  examples: [
    ['hull spec', 'write a config.json to start from'],
    ['hull help spec', 'say how a command is used'],
  ],
};

const usageOf = (command: Command): Usage => ({
  ...command,
  name: `hull ${command.name}`,
  options: { ...command.options, help: HELP },
});

async function parse(usage: Usage, args: readonly string[]): Promise<ParsedArguments> {
  const plain = parsePlainArguments(usage.options, args);
  if (plain !== undefined) return plain;
  const { parseWithCommander } = await import('./usage.ts');
  return parseWithCommander(usage, args);
}

async function printHelp(command?: Command): Promise<void> {
  const { helpText } = await import('./usage.ts');
  if (command !== undefined) return print(helpText(usageOf(command)));
  const commands = await loadAllCommands();
  print(
    helpText(
      PROGRAM,
      commands.map(({ name, summary }) => [name, summary]),
    ),
  );
}

async function printGroupHelp(group: string): Promise<void> {
  const { helpText } = await import('./usage.ts');
  const commands = await loadAllCommands(group);
  const usage = { ...PROGRAM, name: `hull ${group}`, summary: groupSummary(group), options: { help: HELP } };
  const examples = commands.flatMap((command) => command.examples.slice(0, 1));
  print(
    helpText(
      { ...usage, examples },
      commands.map(({ name, summary }) => [name.slice(group.length + 1), summary]),
    ),
  );
}

/** `hull help`, `hull help run`, `hull help image`, `hull help image ls` */
async function printHelpOn(args: readonly string[]): Promise<void> {
  const { group, name } = splitCommand(args);
  if (name !== undefined) return printHelp(await loadCommand(name));
  return group === undefined ? printHelp() : printGroupHelp(group);
}

async function runCommand(
  command: Command,
  args: readonly string[],
  context: () => CommandContext,
): Promise<number> {
  const { options, operands } = await parse(usageOf(command), args);
  if (options.help === true) {
    await printHelp(command);
    return 0;
  }
  const problem = countProblem(command.operands, operands.length);
  if (problem !== undefined) {
    print('Incorrect Usage.\n\n');
    await printHelp(command);
    throw new RuntimeError('USAGE', `hull: "${command.name}" requires ${problem}`);
  }
  return (await command.run(operands, options, context())) ?? 0;
}

async function dispatch(args: readonly string[], globals: GlobalOptions, log: Log): Promise<number> {
  if (args[0] === 'help' || args[0] === 'h') {
    await printHelpOn(args.slice(1));
    return 0;
  }
  const { name, rest } = splitCommand(args);
  if (name === undefined) {
    await printHelpOn(args);
    return 0;
  }
  const command = await loadCommand(name);
  try {
    return await runCommand(command, rest, () => contextOf(globals, log));
  } catch (error) {
    return report(error, log, command.failureStatus);
  }
}

/** The error in the log, and on standard error as one plain line; the result is the exit status. */
function report(error: unknown, log: Log | undefined, status = 1): number {
  if (error instanceof RuntimeError && error.code === OUTPUT_CLOSED) return status;
  const message = explain(error);
  const isPlain = log?.path !== undefined || log?.format !== 'json';
  if (log !== undefined && (log.path !== undefined || !isPlain)) log.error(message);
  if (isPlain) complain(message);
  if (!(error instanceof RuntimeError)) {
    if (error instanceof Error && error.stack !== undefined) log?.debug(error.stack);
    return status;
  }
  if (error.hint !== undefined && isPlain) complain(error.hint);
  return error.exitStatus ?? status;
}

/** A set-user-ID hull would lend its user's rights to whoever chose its arguments and its environment. */
function refuseSetUserId(): void {
  if (process.getuid?.() !== process.geteuid?.() || process.getgid?.() !== process.getegid?.()) {
    throw new RuntimeError('SETUID', 'hull must not be set-user-ID or set-group-ID');
  }
}

/** Runs one command line, without the program's name; the result is the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let log: Log | undefined;
  try {
    refuseSetUserId();
    const { options, operands } = await parse(PROGRAM, args);
    // The table above gives every option its type.
    const globals = options as unknown as GlobalOptions & { readonly help: boolean };
    if (globals.version) {
      print(versionText());
      return 0;
    }
    log = openLog(globals);
    return await dispatch(globals.help ? ['help', ...operands] : operands, globals, log);
  } catch (error) {
    return report(error, log);
  }
}

/** Everything is written by then; whoever still has something to put back says so by listening. */
export function leave(status: number): void {
  if (process.listenerCount('exit') === 0) exitAtOnce(status);
  process.exit(status);
}

// A bundle is started by bin/boot.cjs instead.
if (import.meta.main) void main(process.argv.slice(2)).then(leave);
