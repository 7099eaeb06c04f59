// An import in a process of its own, which can be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ImportProgress } from '../../../image/import.ts';

const IMAGE = path.resolve(import.meta.dirname, '../../../image');

/** Prints each progress report, then the name of the image or what went wrong. */
const SCRIPT = `
  import { importImage } from ${JSON.stringify(path.join(IMAGE, 'import.ts'))};
  import { openStore } from ${JSON.stringify(path.join(IMAGE, 'store/store.ts'))};
  const [root, reference] = process.argv.slice(1);
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
  try {
    say({ done: (await importImage(openStore(root), reference, { onProgress: say })).name });
  } catch (error) {
    const causes = [];
    for (let cause = error; cause; cause = cause.cause) causes.push(cause.message);
    say({ failed: causes.join(': ') });
  }`;

type Report = ImportProgress | { readonly done: string } | { readonly failed: string };

export class ImportProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(root: string, reference: string, options: { readonly uid?: number } = {}) {
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, root, reference], {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...options,
    });
    this.#exited = once(this.#child, 'exit');
  }

  /** Kills it as soon as a report is as wanted; says whether that was before its end. */
  async killWhen(isTime: (progress: ImportProgress) => boolean): Promise<boolean> {
    for await (const report of this.#reports()) {
      if ('done' in report || 'failed' in report) break;
      if (!isTime(report)) continue;
      this.#child.kill('SIGKILL');
      await this.#exited;
      return true;
    }
    await this.#exited;
    return false;
  }

  /** The name of the image, or what went wrong. */
  async end(): Promise<string> {
    let last = 'no report';
    for await (const report of this.#reports()) {
      if ('done' in report) last = report.done;
      if ('failed' in report) last = report.failed;
    }
    await this.#exited;
    return last;
  }

  async *#reports(): AsyncGenerator<Report> {
    if (this.#child.stdout === null) throw new Error('the import has no output');
    for await (const line of createInterface({ input: this.#child.stdout })) yield JSON.parse(line);
  }
}
