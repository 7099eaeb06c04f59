import { readFileSync } from 'node:fs';
import { parseProcess } from '../../spec/process-document.ts';
import { parseConfig } from '../../spec/validate.ts';
import { shellStatus, waitForExit } from '../../sys/wait.ts';
import { explain, RuntimeError } from '../errors.ts';
import { execInContainer } from '../exec.ts';
import { processForExec } from '../exec-process.ts';
import { writePidFile } from '../pid-file.ts';
import { checkTerminal, relayTerminal, SignalForwarding, terminalTarget } from '../run.ts';
import { type CommandContext, defineCommand, type OptionTable, type OptionValues } from './command.ts';
import { caller, isRootless, listenFds, openFilesLimit, openStore, passedFds } from './container-options.ts';

/** runc's: the process's own status would not be 255 often. */
const EXEC_FAILURE = 255;

const OPTIONS = {
  consoleSocket: { type: 'string', value: 'path', help: 'send the terminal to this socket' },
  cwd: { type: 'string', value: 'dir', help: "working directory (default: the container's)" },
  env: { type: 'list', short: 'e', value: 'name=value', help: 'set an environment variable' },
  tty: { type: 'boolean', short: 't', help: 'allocate a terminal' },
  user: { type: 'string', short: 'u', value: 'uid[:gid]', help: 'run as this user' },
  additionalGids: { type: 'list', short: 'g', value: 'gid', help: 'add a supplementary group' },
  process: { type: 'string', short: 'p', value: 'file', help: 'read the process from this file' },
  detach: { type: 'boolean', short: 'd', help: "don't wait for the process" },
  pidFile: { type: 'string', value: 'file', help: "write the process's pid here" },
  noNewPrivs: { type: 'boolean', help: 'allow no new privileges' },
  cap: { type: 'list', short: 'c', value: 'capability', help: 'add a capability' },
  preserveFds: {
    type: 'string',
    value: 'n',
    help: 'pass n descriptors, from 3 on, to the process (default: 0)',
  },
  ignorePaused: { type: 'boolean', help: 'also in a paused container' },
} as const satisfies OptionTable;

export const command = defineCommand({
  name: 'exec',
  summary: 'run another process in a container',
  description:
    'The process gets the namespaces, cgroup and restrictions of the container. A failure before it runs exits with 255.',
  examples: [
    ['hull exec web ps -ef', 'a program and its arguments'],
    ['hull exec -t web sh', 'with a terminal'],
    ['hull exec --process process.json web', 'a process object of the runtime-spec'],
  ],
  operands: '<container-id> [command...]',
  failureStatus: EXEC_FAILURE,
  options: OPTIONS,
  async run([id, ...args], options, context) {
    try {
      return await exec(id, args, options, context);
    } catch (error) {
      throw new RuntimeError('EXEC', `exec failed: ${explain(error)}`, { exitStatus: EXEC_FAILURE });
    }
  },
});

async function exec(
  id: string,
  args: readonly string[],
  options: OptionValues<typeof OPTIONS>,
  context: CommandContext,
): Promise<number> {
  const store = openStore(context);
  const config = parseConfig(readFileSync(`${store.directory(store.read(id).id)}/config.json`));
  const given = options.process === undefined ? undefined : parseProcess(readFileSync(options.process));
  const process = processForExec(config, given, args, options);
  checkTerminal(process.terminal === true, !options.detach, options.consoleSocket);
  const target = terminalTarget(options.consoleSocket);
  using forwarding = options.detach ? undefined : new SignalForwarding();
  await using resources = new AsyncDisposableStack();
  const pid = await execInContainer(store, id, config, process, {
    preserveFds: passedFds(options.preserveFds),
    listenFds: listenFds(),
    rootless: isRootless(context),
    openFilesLimit: openFilesLimit(),
    ignorePaused: options.ignorePaused,
    onTerminal: (terminal) => target.onTerminal(terminal),
    beforeStart: async (hostPid) => {
      if (options.pidFile !== undefined) writePidFile(options.pidFile, hostPid);
      resources.use(await relayTerminal(target.terminal, caller));
    },
  });
  if (forwarding === undefined) return 0;
  forwarding.to(pid);
  return shellStatus(await waitForExit(pid));
}
