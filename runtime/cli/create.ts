import { loadBundle } from '../bundle.ts';
import { createContainer } from '../create.ts';
import { writePidFile } from '../pid-file.ts';
import { checkTerminal, terminalTarget } from '../run.ts';
import { defineCommand } from './command.ts';
import {
  CREATION_OPTIONS,
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
  name: 'create',
  summary: 'create a container that waits for start',
  description:
    'Makes the namespaces, mounts and the first process of the bundle, which waits until "hull start" lets it run the program of config.json.',
  examples: [
    ['hull create web', 'from the bundle in the current directory'],
    ['hull create --bundle /srv/web --pid-file web.pid web', 'from another, and note the pid'],
  ],
  operands: '<container-id>',
  options: CREATION_OPTIONS,
  async run([id], options, context) {
    refuseSystemdDriver(context);
    const bundle = loadBundle(options.bundle ?? '.');
    checkTerminal(bundle.config.process?.terminal === true, false, options.consoleSocket);
    const target = terminalTarget(options.consoleSocket);
    using creation = await createContainer(openStore(context), id, bundle, {
      gate: 'fifo',
      preserveFds: passedFds(options.preserveFds),
      listenFds: listenFds(),
      newKeyring: !options.noNewKeyring,
      rootless: isRootless(context),
      openFilesLimit: openFilesLimit(),
      onPhase: phaseListener(context),
      trace: await openTrace(options.trace),
      onTerminal: (terminal) => target.onTerminal(terminal),
    });
    try {
      if (options.pidFile !== undefined) writePidFile(options.pidFile, creation.pid);
    } catch (error) {
      await creation.abandon();
      throw error;
    }
  },
});
