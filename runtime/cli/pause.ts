import { pauseContainer } from '../pause.ts';
import { defineCommand } from './command.ts';
import { openStore } from './container-options.ts';

export const command = defineCommand({
  name: 'pause',
  summary: 'stop every process of a container for a while',
  examples: [['hull pause web', 'until "hull resume web"']],
  operands: '<container-id>',
  options: {},
  run: ([id], _options, context) => pauseContainer(openStore(context), id),
});
