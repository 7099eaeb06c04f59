// Hooks of the runtime namespace: prestart, createRuntime, poststart, poststop. (The stage runs the other two.)
import type { Hook, HookName } from '../spec/config/hooks.ts';
import { decodeStatus } from '../sys/wait.ts';
import { RuntimeError } from './errors.ts';

/** What is kept of a hook's output for the error. */
const OUTPUT_BYTES_MAX = 4096;

export interface HookContext {
  /** The state, as the hook gets it on standard input. */
  readonly state: string;
  /** Absolute: the bundle. Never the root file system, whose files a relative name could meet (CVE-2025-23266). */
  readonly cwd: string;
}

/** Runs them in order. @throws {RuntimeError} at the first that fails, with runc's text */
export async function runHooks(
  kind: HookName,
  hooks: readonly Hook[] | undefined,
  context: HookContext,
): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) await runHook(`${kind} hook #${index}`, hook, context);
}

async function runHook(name: string, hook: Hook, { state, cwd }: HookContext): Promise<void> {
  const { spawn } = await import('node:child_process');
  const [argv0 = hook.path, ...args] = hook.args ?? [];
  const child = spawn(hook.path, args, {
    argv0,
    cwd,
    env: environment(hook.env ?? []),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // a session of its own, so that all of it can be killed
  });
  const output = { stdout: collect(child.stdout), stderr: collect(child.stderr) };
  child.stdin.on('error', () => {}); // a hook need not read its state
  child.stdin.end(state);
  let timedOut = false;
  const timer =
    hook.timeout === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          killSession(child.pid);
        }, hook.timeout * 1000);
  try {
    const reason = await new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(exitText(code, signal)));
    });
    if (timedOut) throw failure(name, `hook ran past specified timeout of ${seconds(hook.timeout ?? 0)}`);
    if (reason !== undefined)
      throw failure(name, `${reason}, stdout: ${output.stdout()}, stderr: ${output.stderr()}`);
  } finally {
    clearTimeout(timer);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

const failure = (name: string, reason: string): RuntimeError =>
  new RuntimeError('HOOK', `error running ${name}: ${reason}`);

/** Go's way to print a duration in seconds: `1.0s` for runc's timeouts. */
const seconds = (value: number): string => (Number.isInteger(value) ? `${value}.0s` : `${value}s`);

/** undefined when it ended well. */
export function exitText(code: number | null, signal: string | null): string | undefined {
  if (signal !== null) return `signal: ${signal}`;
  return code === 0 ? undefined : `exit status ${code}`;
}

/** The same of a wait status. */
export function statusText(status: number): string {
  const { code, signal } = decodeStatus(status);
  return exitText(code, signal === 0 ? null : String(signal)) ?? 'exit status 0';
}

function environment(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry): [string, string] => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let kept = 0;
  stream.on('data', (chunk: Buffer) => {
    if (kept >= OUTPUT_BYTES_MAX) return;
    const part = chunk.subarray(0, OUTPUT_BYTES_MAX - kept);
    kept += part.length;
    chunks.push(part);
  });
  return () => Buffer.concat(chunks).toString().trimEnd();
}

function killSession(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended just now.
  }
}
