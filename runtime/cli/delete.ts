import { deleteContainer } from '../delete.ts';
import { defineCommand } from './command.ts';
import { openStore } from './container-options.ts';

export const command = defineCommand({
  name: 'delete',
  summary: 'remove a container that has stopped',
  examples: [
    ['hull delete web', 'one that has stopped, or was never started'],
    ['hull delete --force web', 'whatever it is doing; no error when there is none'],
  ],
  operands: '<container-id>',
  options: { force: { type: 'boolean', short: 'f', help: 'kill it first if it runs' } },
  run: ([id], { force }, context) =>
    deleteContainer(openStore(context), id, { force, warn: (message) => context.log.warning(message) }),
});
