// `npm run demo`: hull's commands, one after another, as a user would type them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Each line is typed in one directory, empty at first. `fails`: hull is right to refuse it. */
interface Step {
  readonly say: string;
  readonly type: string;
  readonly fails?: boolean;
}

/** What a program sees of itself and its world: each line differs inside and outside of a container. */
const LOOK_AROUND = `echo "I am process $$ and see $(ls /proc | grep -c '^[0-9]') processes"
echo "this machine is called $(hostname), and I run as $(id)"
echo "my root file system is of type $(awk '$5 == "/" { print $(NF-2) }' /proc/self/mountinfo | tail -n 1)"
echo "$(wc -l < /proc/self/mountinfo) places are mounted; my network has $(echo $(ls /sys/class/net))"
`;

const STEPS: readonly Step[] = [
  { say: 'Which hull is this, on which Node?', type: 'hull --version' },
  {
    say: 'An image comes with hull. Its first use unpacks its three layers, each to one read-only file',
    type: 'hull launch --store store --rm hull/welcome && hull image ls --store store && du -h store/image/layers/*/*.erofs',
  },
  {
    say: 'A container of it: a process of its own kind, with its own machine name, mounts, users and network',
    type: 'hull launch --store store --rm --hostname demo --volume look.sh:/look.sh:ro hull/welcome sh /look.sh',
  },
  { say: 'For comparison, outside', type: 'sh look.sh' },
  {
    say: "What a container writes stays in its own upper layer; the image's layers are never changed",
    type: "hull launch --store store --name writer hull/welcome sh -c 'echo written inside > /note' && hull list && grep . $(find store/containers/writer/upper -type f)",
  },
  {
    say: 'A second container of the same image does not see it',
    type: 'hull launch --store store --rm hull/welcome cat /note',
    fails: true,
  },
  {
    say: 'How a container is made is a list of system calls that can be read before it happens; its first lines',
    type: 'hull plan store/containers/writer | cut -c 1-110 | head -n 16',
  },
  {
    say: 'And how long each part took, for a container that does nothing',
    type: 'hull --debug --log times.log launch --store store --rm hull/welcome true && sed \'s/.*msg="/  /; s/"$//\' times.log',
  },
  {
    say: 'Removing the container leaves nothing behind: no container, mount, control group or file',
    type: 'hull delete writer && hull list && ! grep -s store /proc/self/mountinfo && ! ls -d /sys/fs/cgroup/hull/* /sys/fs/cgroup/unified/hull/* 2>/dev/null && ls -A store/containers && echo nothing left',
  },
];

const scratch = mkdtempSync(join(tmpdir(), 'hull-demo-'));
writeFileSync(join(scratch, 'look.sh'), LOOK_AROUND);
const env = { ...process.env, PATH: [import.meta.dirname, process.env.PATH].join(delimiter) };

function show({ say, type, fails = false }: Step): boolean {
  console.log(`\n# ${say}\n$ ${type}`);
  const { status } = spawnSync('sh', ['-c', type], {
    cwd: scratch,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if ((status !== 0) === fails) return true;
  console.error(`\n"${type}" ended with status ${status}`);
  return false;
}

process.exitCode = STEPS.every(show) ? 0 : 1;
rmSync(scratch, { recursive: true });
