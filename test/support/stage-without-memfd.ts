// Run in namespaces that lack what a stage is usually executed from: prints, as JSON, what it is executed from there.
import { readlinkSync, statSync } from 'node:fs';
import { Program, slot } from '../../sys/plan/program.ts';
import { executableFile } from '../../sys/stage/spawn.ts';
import { contents, MEMFD, memoryFile, runStage } from './run-stage.ts';
import { copyLink } from './stage-reads.ts';

const [directory = ''] = process.argv.slice(2);
process.umask(0o777); // must not matter

using output = memoryFile('output');
const program = new Program();
copyLink(program, '/proc/self/exe', slot('output'));
program.call('leave', 'exit_group', [0]);
const given = new Map([['output', output]]);
try {
  const { code } = runStage(MEMFD, program, { given, fallbackDirectory: directory });
  using executable = executableFile(Uint8Array.of(1), directory);
  const path = `/proc/self/fd/${executable.number}`;
  const { mode, nlink } = statSync(path);
  const executed = contents(output).toString();
  console.log(JSON.stringify({ file: readlinkSync(path), mode: mode & 0o7777, nlink, code, executed }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
}
