import { resumeContainer } from '../pause.ts';
import { defineCommand } from './command.ts';
import { openStore } from './container-options.ts';

export const command = defineCommand({
  name: 'resume',
  summary: 'let a paused container go on',
  examples: [['hull resume web', 'after "hull pause web"']],
  operands: '<container-id>',
  options: {},
  run: ([id], _options, context) => resumeContainer(openStore(context), id),
});
