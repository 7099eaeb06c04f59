// What a command is: data for the parser and for --help, and one function.
import type { Log } from '../log.ts';

/** How an option's value reads: a switch, the last value given, or every value in order. */
export type OptionType = 'boolean' | 'string' | 'list';

export interface OptionSpec {
  readonly type: OptionType;
  /** One letter, without its dash. */
  readonly short?: string;
  /** What --help calls the value. */
  readonly value?: string;
  readonly help: string;
  /** Accepted but not shown. */
  readonly hidden?: boolean;
}

/** Keyed in camelCase: `pidFile` is `--pid-file`. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

interface ValueOf {
  boolean: boolean;
  string: string | undefined;
  list: readonly string[];
}

export type OptionValues<O extends OptionTable> = { readonly [K in keyof O]: ValueOf[O[K]['type']] };

type Operand<S extends string> = S extends `<${string}...>`
  ? [string, ...string[]]
  : S extends `[${string}...]`
    ? string[]
    : S extends `[${string}]`
      ? [string?]
      : [string];

/** `'<container-id> [signal]'` is `[string, string?]`: the parser has counted them. */
export type Operands<S extends string> = S extends `${infer First} ${infer Rest}`
  ? [...Operand<First>, ...Operands<Rest>]
  : S extends ''
    ? []
    : Operand<S>;

/** What every command is given: the options before its name, resolved. */
export interface CommandContext {
  /** Where containers' states live. */
  readonly root: string;
  /** No --root was given, so a missing directory means "no containers" rather than a mistake. */
  readonly isDefaultRoot: boolean;
  readonly log: Log;
  readonly debug: boolean;
  readonly systemdCgroup: boolean;
  /** undefined is `auto`. */
  readonly rootless: boolean | undefined;
}

/** What the parser, --help and the dispatcher read. */
interface Description {
  readonly name: string;
  /** Half a line, lower case, for the list of commands. */
  readonly summary: string;
  /** Sentences, for the command's own --help. */
  readonly description?: string;
  /** Command lines that work, each with what it does. */
  readonly examples: readonly (readonly [commandLine: string, effect: string])[];
  /** `<required>`, `[optional]`, `[many...]`, separated by one space. */
  readonly operands: string;
  readonly options: OptionTable;
  /** The exit status of a failure; 1 when left out. */
  readonly failureStatus?: number;
}

/** The exit status; nothing is 0. */
type Outcome = Promise<number | undefined> | Promise<void> | number | void;

export interface Definition<S extends string, O extends OptionTable> extends Description {
  readonly operands: S;
  readonly options: O;
  run(operands: Operands<S>, options: OptionValues<O>, context: CommandContext): Outcome;
}

/** A command whose operands and options are known only at run time. */
export interface Command extends Description {
  run(
    operands: readonly string[],
    options: Readonly<Record<string, unknown>>,
    context: CommandContext,
  ): Outcome;
}

/** Infers the types of `run`'s arguments from the tables beside it. */
export function defineCommand<const S extends string, const O extends OptionTable>(
  definition: Definition<S, O>,
): Command {
  // The parser counts operands and gives each option the type in its table, so `run` gets what it was promised.
  return definition as unknown as Command;
}
