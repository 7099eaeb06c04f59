import { startContainer } from '../start.ts';
import { defineCommand } from './command.ts';
import { openStore } from './container-options.ts';

export const command = defineCommand({
  name: 'start',
  summary: 'run the program of a created container',
  examples: [['hull start web', 'let the container run']],
  operands: '<container-id>',
  options: {},
  run: ([id], _options, context) => startContainer(openStore(context), id),
});
