// Where a created container waits for `start`.
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from '../sys/abi/constants.ts';
import { cString, type Program, REPORT, type Slot, slot } from '../sys/plan/program.ts';
import { CONTROL, REPORTS } from './enter.ts';
import { close } from './paths.ts';

/**
 * Opens the exec fifo for writing, which blocks until `start` opens it for reading; from there on `start` is the one
 * that reports go to. The program's execve closes the fifo: that is how `start` learns that it runs.
 *
 * @param proc a descriptor of a procfs, or undefined for the one at /proc
 * @param fifo the fifo below it: `self/fd/N`
 */
export function openGate(p: Program, proc: Slot | undefined, fifo: string): void {
  const gate = slot('gate');
  const again = p.fresh('again');
  const path = cString(proc === undefined ? `/proc/${fifo}` : fifo);
  p.mark(again);
  p.call('wait for start to open the exec fifo', 'openat', [proc ?? AT_FDCWD, path, O_WRONLY | O_CLOEXEC], {
    into: gate,
    on: { EINTR: again },
  });
  p.set('report to start from here on', REPORT, gate);
  p.report(REPORTS.created, 0);
  close(p, CONTROL);
}
