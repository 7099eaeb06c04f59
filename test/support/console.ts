/** Terminals for containers: an engine's end of a console socket. */

import { type Child, until } from './child.ts';
import { terminal } from './compile.ts';
import type { TestHost } from './host.ts';
import { type ProbeReport, parseReport } from './probe-report.ts';

/** `flags` are for the runtime and point at the socket; what comes out of the terminal is the receiver's output. */
export async function listenForConsole(host: TestHost): Promise<{ receiver: Child; flags: string[] }> {
  const socket = host.path('console.sock');
  const receiver = host.spawn([terminal(), 'receive', socket], 'console', 'open');
  await until('the console socket', () => receiver.stderr().includes('listening'));
  return { receiver, flags: ['--console-socket', socket] };
}

/** The terminal turns each newline into two characters. The probe ends when it gets one. */
export async function reportThrough(child: Child): Promise<ProbeReport> {
  const report = (): string | undefined => /\{.*\}\r*\n/s.exec(child.stdout())?.[0];
  const text = await until('the report', report).catch((error: unknown) => {
    const said = JSON.stringify(child.stdout().slice(-300) + child.stderr());
    throw new Error(`no report in ${child.stdout().length} bytes: ${said}`, { cause: error });
  });
  child.write('\n');
  return parseReport(text);
}
