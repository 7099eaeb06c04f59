// The log: a line per event, in the two formats that callers of runc read (logrus's text and JSON).
import { closeSync, openSync, writeSync } from 'node:fs';
import { RuntimeError } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export type LogFormat = 'text' | 'json';

const FORMATS: ReadonlySet<string> = new Set<LogFormat>(['text', 'json']);

export function parseLogFormat(name: string): LogFormat {
  if (!FORMATS.has(name)) throw new RuntimeError('USAGE', `invalid log-format: ${name}`);
  return name as LogFormat;
}

/** Go's strconv.Quote gives these the short form; other control characters become \xNN. */
const GO_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

const hexEscape = (character: string): string =>
  `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

function quoteAsGo(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a log line raw.
  const escaped = text.replace(/["\\\u0000-\u001f\u007f]/g, (c) => GO_ESCAPES.get(c) ?? hexEscape(c));
  return `"${escaped}"`;
}

/** logrus leaves a value bare when it holds nothing but these (TextFormatter.needsQuoting). */
const BARE_VALUE = /^[A-Za-z0-9\-._/@^+]*$/;

const textValue = (value: string): string => (BARE_VALUE.test(value) ? value : quoteAsGo(value));

const JSON_HTML: ReadonlyMap<string, string> = new Map([
  ['<', '\\u003c'],
  ['>', '\\u003e'],
  ['&', '\\u0026'],
]);

/** Keys in alphabetical order and HTML characters escaped, as Go's encoder writes them. */
function formatJson(level: LogLevel, message: string, time: string): string {
  const json = JSON.stringify({ level, msg: message, time });
  return json.replace(/[<>&]/g, (c) => JSON_HTML.get(c) ?? c);
}

/** One line, with its newline; the message cannot add another. */
export function formatLogLine(format: LogFormat, level: LogLevel, message: string, time: Date): string {
  const stamp = time.toISOString(); // RFC 3339, with milliseconds
  if (format === 'json') return `${formatJson(level, message, stamp)}\n`;
  return `time=${quoteAsGo(stamp)} level=${level} msg=${textValue(message)}\n`;
}

export interface LogOptions {
  /** Appended to; without it the log is standard error. */
  readonly path?: string;
  readonly format: LogFormat;
  /** Lets `debug` lines through. */
  readonly debug: boolean;
}

const STDERR = 2;

export class Log {
  readonly path: string | undefined;
  readonly format: LogFormat;
  readonly #debug: boolean;
  readonly #fd: number;

  constructor(options: LogOptions) {
    this.path = options.path;
    this.format = options.format;
    this.#debug = options.debug;
    this.#fd = options.path === undefined ? STDERR : openLog(options.path);
  }

  debug(message: string): void {
    if (this.#debug) this.#write('debug', message);
  }

  info(message: string): void {
    this.#write('info', message);
  }

  warning(message: string): void {
    this.#write('warning', message);
  }

  error(message: string): void {
    this.#write('error', message);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== STDERR) closeSync(this.#fd);
  }

  #write(level: LogLevel, message: string): void {
    writeSync(this.#fd, formatLogLine(this.format, level, message, new Date()));
  }
}

/** `s` is O_SYNC: containerd reads the file as soon as the runtime has gone. */
function openLog(path: string): number {
  try {
    return openSync(path, 'as', 0o644);
  } catch (cause) {
    throw new RuntimeError('LOG', `cannot open the log file ${JSON.stringify(path)}`, { cause });
  }
}
