/** What tests of `hull launch` start from: a store with an image of small programs, and the command on a test's host. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionConfig } from '../../spec/image/image-config.ts';
import { busybox } from './bundle.ts';
import { type Child, type Outcome, until } from './child.ts';
import { probe, terminal } from './compile.ts';
import type { TestHost } from './host.ts';
import { type Ended, hull } from './hull.ts';
import { makeLayout } from './image/layout.ts';
import { type ProbeReport, parseReport } from './probe-report.ts';
import type { CallOptions } from './runtime.ts';
import * as tar from './tar-maker.ts';

/** The image that every store here has. */
export const TOOLS = 'tools:latest';

const PASSWD = 'root:x:0:0::/root:/bin/sh\ntester:x:1000:1000::/home/tester:/bin/sh\n';
const GROUP = 'root:x:0:\ntester:x:1000:\nextra:x:2000:tester\n';

const TOOLS_CONFIG: ExecutionConfig = {
  Cmd: ['/bin/probe'],
  Env: ['FROM=image', 'BOTH=image'],
  WorkingDir: '/srv',
};

function toolsLayer(): Buffer {
  const program = readFileSync(probe());
  return tar.archive(
    ...['bin/', 'dev/', 'etc/', 'proc/', 'srv/', 'sys/', 'data/'].map((name) => tar.directory(name)),
    tar.directory('tmp/', { mode: 0o1777 }),
    tar.file('bin/busybox', readFileSync(busybox()), { mode: 0o755 }),
    ...['cat', 'head', 'mount', 'sh', 'sleep', 'touch'].map((name) => tar.symlink(`bin/${name}`, 'busybox')),
    tar.file('bin/probe', program, { mode: 0o755 }),
    tar.file('bin/probe-as-root', program, { mode: 0o4755, uid: 0 }),
    tar.file('data/first', 'from the image', { mode: 0o640, uid: 7, gid: 8 }),
    tar.file('etc/passwd', PASSWD),
    tar.file('etc/group', GROUP),
  );
}

/** A store of its own that the tests of a file share; it goes with its scope. */
export class LaunchStore implements Disposable {
  readonly directory: string;
  #layouts = 0;

  constructor() {
    this.directory = mkdtempSync(path.join(tmpdir(), 'hull-launch-'));
    this.addImage('tools', TOOLS_CONFIG);
  }

  get path(): string {
    return path.join(this.directory, 'store');
  }

  /** An image of the same files. */
  addImage(name: string, config: ExecutionConfig): void {
    const layout = path.join(this.directory, `layout-${this.#layouts++}`);
    makeLayout(layout, [toolsLayer()], { config: { config } });
    const { status, stderr } = this.image('import', '--name', name, `oci:${layout}:latest`);
    if (status !== 0) throw new Error(`cannot import the image of the tests: ${stderr}`);
  }

  image(command: string, ...args: string[]): Ended {
    return hull(['image', command, '--store', this.path, ...args]);
  }

  /** Names of the containers that have something in the store; before the first there is no directory for them. */
  containers(): string[] {
    const directory = path.join(this.path, 'containers');
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

export interface LaunchOptions extends CallOptions {
  readonly image?: string;
}

/** `hull launch FLAGS tools ARGS` */
export function startLaunch(
  host: TestHost,
  store: LaunchStore,
  args: readonly string[],
  options: LaunchOptions = {},
): Child {
  const { image = TOOLS, flags = [], ...rest } = options;
  return host.runtime.spawn('launch', [image, ...args], {
    ...rest,
    flags: ['--store', store.path, ...flags],
  });
}

export function launch(
  host: TestHost,
  store: LaunchStore,
  args: readonly string[],
  options: LaunchOptions = {},
): Promise<Outcome> {
  return startLaunch(host, store, args, options).finished;
}

/** The same on a terminal of 40 rows and 120 columns, with an open standard input. */
export function launchOnTerminal(
  host: TestHost,
  store: LaunchStore,
  flags: readonly string[],
  args: readonly string[],
): Child {
  const own = host.runtime.argv('launch', [TOOLS, ...args], { flags: ['--store', store.path, ...flags] });
  return host.spawn([terminal(), 'run', '40', '120', '--', ...own], 'launch-terminal', 'open');
}

/** What the probe says in a container that is launched with these options, and removed again. */
export async function launchedReport(
  host: TestHost,
  store: LaunchStore,
  flags: readonly string[],
  args: readonly string[] = ['/bin/probe'],
): Promise<ProbeReport> {
  const { status, stdout, stderr } = await launch(host, store, args, {
    flags: ['--rm', '--name', host.id(), ...flags],
  });
  if (status !== 0) throw new Error(`the probe did not run (status ${status}): ${stderr}`);
  return parseReport(stdout);
}

/** A launched container that sleeps until it is told to end: its name, and the launch in the foreground. */
export async function launchSleeping(
  host: TestHost,
  store: LaunchStore,
  flags: readonly string[] = ['--rm'],
): Promise<[id: string, Child]> {
  const id = host.id();
  const child = startLaunch(host, store, ['/bin/probe', 'sleep'], { flags: ['--name', id, ...flags] });
  await until('the process to say that it runs', () => child.stdout() === 'sleeping\n');
  return [id, child];
}
