import { loadContainer } from '../container.ts';
import { shownState } from '../shown-state.ts';
import { defineCommand } from './command.ts';
import { openStore } from './container-options.ts';
import { print } from './output.ts';

export const command = defineCommand({
  name: 'state',
  summary: 'print the state of a container as JSON',
  examples: [['hull state web', 'id, pid, status, bundle, annotations']],
  operands: '<container-id>',
  options: {},
  run([id], _options, context) {
    // Two spaces and no newline at the end, byte for byte what runc prints.
    print(JSON.stringify(shownState(loadContainer(openStore(context), id), ''), undefined, 2));
  },
});
