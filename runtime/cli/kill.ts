import { killContainer, loadContainer } from '../container.ts';
import { parseSignal } from '../signals.ts';
import { defineCommand } from './command.ts';
import { openStore } from './container-options.ts';

export const command = defineCommand({
  name: 'kill',
  summary: 'send a signal to a container',
  description: 'The signal goes to the first process; KILL ends all of them.',
  examples: [
    ['hull kill web', 'SIGTERM'],
    ['hull kill web KILL', 'by name, with or without SIG, or by number'],
  ],
  operands: '<container-id> [signal]',
  options: { all: { type: 'boolean', short: 'a', hidden: true, help: 'obsolete' } },
  run: ([id, signal = 'SIGTERM'], { all }, context) =>
    killContainer(loadContainer(openStore(context), id), parseSignal(signal), { all }),
});
