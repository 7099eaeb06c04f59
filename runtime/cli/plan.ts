import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { loadBundle } from '../bundle.ts';
import { creationFacts } from '../creation-facts.ts';
import { RuntimeError } from '../errors.ts';
import { planCreation } from '../plan.ts';
import { planText, type TextOptions } from '../plan-text.ts';
import { defineCommand } from './command.ts';
import { BUNDLE_OPTION, isRootless, openFilesLimit, openStore } from './container-options.ts';
import { print } from './output.ts';

/** Stands for the name that the container would get. */
const ID = 'ID';

export const command = defineCommand({
  name: 'plan',
  summary: 'print what create would do',
  description:
    'Prints every step in order, and does none: what the host does, and the system calls with which the stage makes the container. ID, PID and N stand for what is known only when it happens.',
  examples: [
    ['hull plan', 'for the bundle in the current directory'],
    ['hull plan --json /srv/web | jq -r ".steps[].text"', 'for programs'],
  ],
  operands: '[bundle]',
  options: {
    ...BUNDLE_OPTION,
    json: { type: 'boolean', help: 'print one JSON object, with nothing cut' },
  },
  run([operand], options, context) {
    if (operand !== undefined && options.bundle !== undefined) {
      throw new RuntimeError('USAGE', 'hull plan: the bundle is given twice');
    }
    const bundle = loadBundle(options.bundle ?? operand ?? '.');
    if (existsSync(context.root)) openStore(context); // refuses what create would refuse
    const facts = creationFacts(join(context.root, ID), ID, bundle, {
      gate: 'fifo',
      preserveFds: 0,
      listenFds: 0,
      newKeyring: true,
      rootless: isRootless(context),
      openFilesLimit: openFilesLimit(),
    });
    const plan = planCreation(facts);
    print(options.json ? `${JSON.stringify(plan, undefined, 2)}\n` : planText(plan, textOptions()));
  },
});

/** Colour and cutting are for a person at a terminal; https://no-color.org. */
function textOptions(): TextOptions {
  if (!isatty(1)) return { color: false };
  const { NO_COLOR = '', TERM } = process.env;
  return { color: NO_COLOR === '' && TERM !== 'dumb', width: process.stdout.columns };
}
