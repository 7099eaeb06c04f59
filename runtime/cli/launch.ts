import path from 'node:path';
import { RuntimeError } from '../errors.ts';
import { launch } from '../launch.ts';
import { checkVariables, parseNetwork } from '../launch-config.ts';
import { readLaunchDefaults } from '../launch-defaults.ts';
import { defineCommand } from './command.ts';
import {
  caller,
  isRootless,
  openFilesLimit,
  openStore,
  phaseListener,
  refuseSystemdDriver,
} from './container-options.ts';
import { progressLine } from './image/progress.ts';
import { STORE_OPTION, storeRoot } from './image/store-option.ts';

export const command = defineCommand({
  name: 'launch',
  summary: 'run a program of an image in a container',
  description:
    "IMAGE is the name of an imported image, or where to import one from: oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG]. Without one, the image that comes with hull is used. The exit status is the program's.",
  examples: [
    ['hull launch -it', 'a shell in the image that comes with hull'],
    [
      'hull launch --rm oci:images/debian:12 cat /etc/os-release',
      'one command of an image, then nothing is left',
    ],
    ['hull launch -it --volume $PWD:/work --workdir /work debian:12', 'with a directory of the host'],
  ],
  operands: '[image] [command...]',
  options: {
    interactive: { type: 'boolean', short: 'i', help: 'pass standard input on' },
    tty: { type: 'boolean', short: 't', help: 'allocate a terminal' },
    rm: { type: 'boolean', help: 'remove the container when its program has ended' },
    name: { type: 'string', value: 'name', help: 'what to call the container (default: a random name)' },
    env: { type: 'list', short: 'e', value: 'name=value', help: 'set an environment variable' },
    user: { type: 'string', short: 'u', value: 'user[:group]', help: 'run as this user of the image' },
    workdir: { type: 'string', short: 'w', value: 'dir', help: 'working directory in the container' },
    entrypoint: { type: 'string', value: 'program', help: "run this in place of the image's entrypoint" },
    volume: { type: 'list', short: 'v', value: 'src:dst[:ro]', help: 'show a file or directory of the host' },
    hostname: { type: 'string', value: 'name', help: "the container's host name (default: its name)" },
    network: { type: 'string', value: 'net', help: 'none (loopback only) or host (default: none)' },
    readOnly: { type: 'boolean', help: 'make the root file system read-only' },
    allowNewPrivileges: { type: 'boolean', help: 'let set-user-id programs work' },
    defaults: {
      type: 'string',
      value: 'file',
      help: 'what is always wanted, as YAML (default: /etc/hull/launch.yaml)',
    },
    ...STORE_OPTION,
    isolation: { type: 'string', value: 'kind', help: 'namespaces (default: namespaces)' },
  },
  async run([image, ...args], options, context) {
    refuseSystemdDriver(context);
    checkIsolation(options.isolation);
    const { entrypoint } = options;
    const defaults = await readLaunchDefaults(
      options.defaults ?? defaultsFile(),
      options.defaults !== undefined,
    );
    const user = options.user ?? defaults.user;
    const workdir = options.workdir ?? defaults.workdir;
    const env = checkVariables([...(defaults.env ?? []), ...options.env]);
    using progress = progressLine(image ?? '');
    return await launch(
      openStore(context),
      storeRoot(options.store ?? defaults.store),
      {
        image,
        process: {
          env,
          ...(args.length === 0 ? {} : { args }),
          ...(entrypoint === undefined ? {} : { entrypoint: [entrypoint] }),
          ...(workdir === undefined ? {} : { cwd: workdir }),
          ...(user === undefined ? {} : { user }),
        },
        name: options.name,
        remove: options.rm,
        hostname: options.hostname,
        network: parseNetwork(options.network ?? defaults.network),
        terminal: options.tty,
        readonlyRoot: options.readOnly || defaults['read-only'] === true,
        allowNewPrivileges: options.allowNewPrivileges || defaults['allow-new-privileges'] === true,
        volumes: [...(defaults.volume ?? []), ...options.volume],
        onImport: progress.report,
        onReady: () => progress[Symbol.dispose](),
      },
      {
        detach: false,
        keep: false,
        pidFile: undefined,
        consoleSocket: undefined,
        preserveFds: 0,
        listenFds: 0,
        newKeyring: true,
        rootless: isRootless(context),
        openFilesLimit: openFilesLimit(),
        onPhase: phaseListener(context),
        stdin: options.interactive ? 'inherit' : 'none',
        caller,
        warn: (message) => context.log.warning(message),
      },
    );
  },
});

function checkIsolation(isolation: string | undefined): void {
  if (isolation === undefined || isolation === 'namespaces') return;
  const reason = isolation === 'vm' ? 'this version of hull has no microVM mode' : 'not a kind of isolation';
  throw new RuntimeError('USAGE', `cannot launch with --isolation ${JSON.stringify(isolation)}: ${reason}`);
}

/** Root's are the machine's; other users have their own. */
function defaultsFile(): string {
  if (process.geteuid?.() === 0) return '/etc/hull/launch.yaml';
  const { XDG_CONFIG_HOME = '', HOME = '/' } = process.env;
  const base = path.isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : path.join(HOME, '.config');
  return path.join(base, 'hull', 'launch.yaml');
}
