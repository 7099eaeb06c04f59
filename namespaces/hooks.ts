// Hooks that run inside the container's namespaces: createContainer and startContainer. The stage forks and executes
// them; their state arrives from the host as one message.

import type { Hook } from '../spec/config/hooks.ts';
import { CLOSE_RANGE_CLOEXEC, POLLIN, SIGCHLD, SIGKILL } from '../sys/abi/constants.ts';
import { pollfd, timespec } from '../sys/abi/structs.ts';
import {
  block,
  buffer,
  cString,
  type Program,
  place,
  type Slot,
  slot,
  stringVector,
} from '../sys/plan/program.ts';
import { readControl } from './enter.ts';
import { HOOK_STATUS_REPORT, STATE_BYTES_MAX, STATUS_PLACEHOLDER } from './hook-protocol.ts';

const STATE = buffer('state', STATE_BYTES_MAX);
const STATE_LENGTH = slot('state.length');

export function receiveState(p: Program): void {
  readControl(p, 'read the state for the hooks', STATE, STATE_BYTES_MAX, STATE_LENGTH);
}

export function runHooks(
  p: Program,
  kind: 'createContainer' | 'startContainer',
  hooks: readonly Hook[],
): void {
  hooks.forEach((hook, index) => {
    runHook(p, `${kind} hook #${index}`, hook);
  });
}

function runHook(p: Program, name: string, hook: Hook): void {
  const state = slot('hook.state');
  const output = slot('hook.output');
  const child = slot('hook.pid');
  const inChild = p.fresh('hook');
  const done = p.fresh('hook-done');
  const label = `run ${name} ${JSON.stringify(hook.path)}`;
  p.call(label, 'memfd_create', [cString('state'), 0], { into: state });
  p.call(label, 'write', [state, STATE, STATE_LENGTH]);
  p.call(label, 'lseek', [state, 0, 0]);
  p.call(label, 'memfd_create', [cString('output'), 0], { into: output });
  p.call(label, 'clone', [SIGCHLD, 0, 0, 0, 0], { into: child });
  p.branch('which of the two?', child, 'equal', 0, inChild);
  awaitHook(p, name, label, hook, child);
  p.call(label, 'close', [state]);
  p.call(label, 'close', [output]);
  p.goTo(done);
  p.mark(inChild);
  p.call(label, 'setsid', []);
  p.call(label, 'dup3', [state, 0, 0]);
  p.call(label, 'dup3', [output, 1, 0]);
  p.call(label, 'dup3', [output, 2, 0]);
  p.call(label, 'close_range', [3, 0xffffffff, CLOSE_RANGE_CLOEXEC]);
  const args = hook.args ?? [hook.path];
  p.call(label, 'execve', [cString(hook.path), stringVector(args), stringVector(hook.env ?? [])]);
  p.mark(done);
}

/** Waits for the hook, with its timeout; a hook that runs past it is killed with its session. */
function awaitHook(p: Program, name: string, label: string, hook: Hook, child: Slot): void {
  const status = buffer('status', 4);
  const value = slot('hook.status');
  const [ended, fine] = [p.fresh('hook-ended'), p.fresh('hook-fine')];
  if (hook.timeout !== undefined) {
    const pidfd = slot('hook.pidfd');
    const ready = slot('hook.ready');
    const poll = block('{pidfd}', pollfd.encode({ fd: 0, events: POLLIN }));
    const limit = timespec.encode({ tv_sec: BigInt(Math.trunc(hook.timeout)), tv_nsec: 0n });
    p.call(label, 'pidfd_open', [child, 0], { into: pidfd });
    p.store(label, 4, place(poll, pollfd.offsets.fd), pidfd);
    p.call(label, 'ppoll', [poll, 1, block(`{${hook.timeout} s}`, limit), 0, 0], { into: ready });
    p.call(label, 'close', [pidfd]);
    p.branch(label, ready, 'notEqual', 0, ended);
    p.call(label, 'kill', [child, SIGKILL]);
    p.call(label, 'wait4', [child, status, 0, 0]);
    const limitText = Number.isInteger(hook.timeout) ? `${hook.timeout}s` : `${hook.timeout}`;
    p.fail(label, 'ETIMEDOUT', `error running ${name}: hook ran past specified timeout of ${limitText}`);
  }
  p.mark(ended);
  p.call(label, 'wait4', [child, status, 0, 0]);
  p.load(label, value, 4, place(status, 0));
  p.branch(label, value, 'equal', 0, fine);
  p.report(HOOK_STATUS_REPORT, value);
  p.fail(label, 'ECANCELED', `error running ${name}: ${STATUS_PLACEHOLDER}`);
  p.mark(fine);
}
