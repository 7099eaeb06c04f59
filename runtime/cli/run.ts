import { loadBundle } from '../bundle.ts';
import { runContainer } from '../run.ts';
import { defineCommand } from './command.ts';
import {
  CREATION_OPTIONS,
  caller,
  isRootless,
  listenFds,
  openFilesLimit,
  openStore,
  openTrace,
  passedFds,
  phaseListener,
  refuseSystemdDriver,
} from './container-options.ts';

export const command = defineCommand({
  name: 'run',
  summary: 'create and start a container, and wait for it',
  description:
    "In the foreground, signals and the terminal are passed on, the exit status is the program's (128 + n when signal n ended it), and the container is deleted at the end.",
  examples: [
    ['hull run web', 'the bundle in the current directory, until its program ends'],
    ['hull run --detach --bundle /srv/web web', 'in the background'],
  ],
  operands: '<container-id>',
  options: {
    ...CREATION_OPTIONS,
    detach: { type: 'boolean', short: 'd', help: "don't wait for the program" },
    keep: { type: 'boolean', help: "don't delete the container when its program has ended" },
    noSubreaper: { type: 'boolean', hidden: true, help: 'of no consequence: hull never becomes a subreaper' },
  },
  async run([id], options, context) {
    refuseSystemdDriver(context);
    return await runContainer(openStore(context), id, loadBundle(options.bundle ?? '.'), {
      detach: options.detach,
      keep: options.keep,
      pidFile: options.pidFile,
      consoleSocket: options.consoleSocket,
      preserveFds: passedFds(options.preserveFds),
      listenFds: listenFds(),
      newKeyring: !options.noNewKeyring,
      rootless: isRootless(context),
      openFilesLimit: openFilesLimit(),
      onPhase: phaseListener(context),
      trace: await openTrace(options.trace),
      stdin: 'inherit',
      caller,
      warn: (message) => context.log.warning(message),
    });
  },
});
