import { RuntimeError } from '../errors.ts';
import { processesOf, psTable } from '../processes.ts';
import { defineCommand } from './command.ts';
import { openStore } from './container-options.ts';
import { print } from './output.ts';

export const command = defineCommand({
  name: 'ps',
  summary: 'list the processes of a container',
  examples: [
    ['hull ps web', 'as ps -ef shows them'],
    ['hull ps web -o pid,comm', 'with other columns; PID has to be among them'],
    ['hull ps --format json web', 'their pids on the host'],
  ],
  operands: '<container-id> [ps-options...]',
  options: {
    format: { type: 'string', short: 'f', value: 'format', help: 'table or json (default: table)' },
  },
  async run([id, ...args], { format = 'table' }, context) {
    if (format !== 'table' && format !== 'json') {
      throw new RuntimeError('USAGE', `invalid format option ${JSON.stringify(format)}: table or json`);
    }
    const pids = processesOf(openStore(context), id);
    print(
      format === 'json'
        ? `${JSON.stringify(pids)}\n`
        : await psTable(pids, args.length === 0 ? ['-ef'] : args),
    );
  },
});
