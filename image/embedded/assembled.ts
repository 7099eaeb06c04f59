// A static program that hull assembles itself, for hosts without a static busybox: it says where it runs.
import { AT_FDCWD, O_RDONLY } from '../../sys/abi/constants.ts';
import { HOST_ARCHITECTURE } from '../../sys/abi/fcntl.ts';
import { encodeProgram } from '../../sys/plan/encode.ts';
import { buffer, cString, Program, place, slot } from '../../sys/plan/program.ts';
import { interpreterCode } from '../../sys/stage/code.ts';
import { elfFile } from '../../sys/stage/elf.ts';
import { PLAN_ADDRESS } from '../../sys/stage/layout.ts';
import type { StaticProgram } from './welcome.ts';

const STDOUT = 1;
const STDERR = 2;
const WELCOME_BYTES_MAX = 4096;
/** struct new_utsname of linux/utsname.h: six names of 65 bytes, the second of which is the host name. */
const UTSNAME_BYTES = 390;
const NODENAME = 65;
const NODENAME_BYTES = 64;

/** The stage's interpreter with a plan of a dozen steps: what makes containers can also run in one. */
export function assembledProgram(): StaticProgram {
  const plan = encodeProgram(welcomePlan(), {
    architecture: HOST_ARCHITECTURE,
    address: PLAN_ADDRESS,
    given: new Map(),
    reportFd: STDERR,
    traceFd: -1,
  });
  const content = elfFile({
    architecture: HOST_ARCHITECTURE,
    code: interpreterCode(HOST_ARCHITECTURE),
    plan: plan.bytes,
    planMemoryBytes: plan.memoryBytes,
  });
  return { name: 'welcome', content, links: [], command: ['/bin/welcome'] };
}

function welcomePlan(): Program {
  const p = new Program();
  const file = slot('file');
  const length = slot('length');
  const text = buffer('text', WELCOME_BYTES_MAX);
  const names = buffer('utsname', UTSNAME_BYTES);
  const say = (words: string): void =>
    p.call('say', 'write', [STDOUT, cString(words), Buffer.byteLength(words)]);
  say('This is a program of a few system calls, which hull has assembled. It runs on the machine "');
  p.call('ask for the host name', 'uname', [names]);
  p.call('say it', 'write', [STDOUT, place(names, NODENAME), NODENAME_BYTES]);
  say('".\n');
  p.call('open the welcome', 'openat', [AT_FDCWD, cString('/etc/welcome'), O_RDONLY], { into: file });
  p.call('read it', 'read', [file, text, WELCOME_BYTES_MAX], { into: length });
  p.call('say it', 'write', [STDOUT, text, length]);
  p.call('done', 'exit_group', [0]);
  return p;
}
