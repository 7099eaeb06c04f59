// What the host does to create a container, in its order: `create` performs this table, `plan` prints it.
import { allowsEverything, type DevicePolicy } from '../cgroups/devices/policy.ts';
import { REPORTS } from '../namespaces/enter.ts';
import type { Hook, HookName } from '../spec/config/hooks.ts';
import type { IdMapping } from '../spec/config/linux.ts';
import type { CreationFacts } from './creation-facts.ts';
import { isOwnIdAlone, mapText } from './id-mappings.ts';

/** What the attempt (create.ts) has a function for. */
export type HostAction =
  | 'makeDirectory'
  | 'noteCgroup'
  | 'makeCgroup'
  | 'confineDevices'
  | 'saveState'
  | 'saveConfig'
  | 'makeFifo'
  | 'openOnHost'
  | 'startStage'
  | 'takePid'
  | 'mapIds'
  | 'setRlimits'
  | 'letGoOn'
  | 'runHooks'
  | 'sendStateForCreate'
  | 'passTerminal'
  | 'sendStateForStart'
  | 'saveProcess';

export interface HostStep {
  readonly does: HostAction;
  /** The stage's step that it answers. Those without one come before the stage's first. */
  readonly answers?: string;
  readonly label: string;
  /** The system calls that change something. PID stands for the process that reported last. */
  readonly calls: readonly string[];
}

/** Every step that this container needs. Those that answer are done as often as the stage asks. */
export function hostSteps(facts: CreationFacts): readonly HostStep[] {
  return [...preparation(facts), ...answers(facts)];
}

const quote = (text: string): string => JSON.stringify(text);

function preparation(facts: CreationFacts): HostStep[] {
  const { directory, request, cgroup } = facts;
  const file = (name: string): string => quote(`${directory}/${name}`);
  const steps: HostStep[] = [
    {
      does: 'makeDirectory',
      label: 'make the state directory, and lock it',
      calls: [`mkdir(${quote(directory)}, 0700)`, 'flock(state, LOCK_EX)'],
    },
  ];
  if (cgroup !== undefined) steps.push(...cgroupSteps(facts, cgroup.path, file('cgroup')));
  steps.push(
    { does: 'saveState', label: 'save the state, without a process', calls: saveCalls(facts) },
    {
      does: 'saveConfig',
      label: 'keep a copy of config.json',
      calls: [`openat(AT_FDCWD, ${file('config.json')}, O_WRONLY|O_CREAT|O_EXCL|O_TRUNC|O_CLOEXEC, 0600)`],
    },
  );
  if (request.gate === 'fifo') {
    const calls = [`mknodat(AT_FDCWD, ${file('exec.fifo')}, S_IFIFO|0622)`];
    steps.push({ does: 'makeFifo', label: 'make the exec fifo', calls });
  }
  steps.push(
    { does: 'openOnHost', label: 'open what only the host can reach', calls: [] },
    {
      does: 'startStage',
      label: 'start the stage from a sealed memfd',
      calls: [
        'memfd_create("hull-stage", MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_EXEC)',
        'fcntl(stage, F_ADD_SEALS, F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE|F_SEAL_EXEC)',
        'close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC)',
        'execve("/proc/self/fd/N", ["/proc/self/fd/N"], [])',
      ],
    },
  );
  return steps;
}

function cgroupSteps({ devices }: CreationFacts, path: string, note: string): HostStep[] {
  const steps: HostStep[] = [
    {
      does: 'noteCgroup',
      label: 'note which cgroup will be made',
      calls: [`symlink(${quote(path)}, ${note})`],
    },
    {
      does: 'makeCgroup',
      label: `make the cgroup ${quote(path)}`,
      calls: [`mkdirat(parent, ${quote(path.slice(path.lastIndexOf('/') + 1))}, 0755)`],
    },
  ];
  if (!allowsEverything(devices)) {
    steps.push({
      does: 'confineDevices',
      label: `let it use ${devicesText(devices)}`,
      calls: [
        'bpf(BPF_PROG_LOAD, {prog_type=BPF_PROG_TYPE_CGROUP_DEVICE})',
        'bpf(BPF_PROG_ATTACH, {attach_type=BPF_CGROUP_DEVICE})',
      ],
    });
  }
  return steps;
}

const devicesText = ({ allowsByDefault, exceptions }: DevicePolicy): string =>
  allowsByDefault ? `all devices but ${exceptions.length}` : `no devices but ${exceptions.length}`;

const saveCalls = ({ directory }: CreationFacts): string[] => [
  `rename(${quote(`${directory}/state.json.new`)}, ${quote(`${directory}/state.json`)})`,
];

function answers(facts: CreationFacts): HostStep[] {
  const { hooks = {} } = facts.config;
  const waits = 'wait for the process that made it';
  const steps: HostStep[] = [
    { does: 'takePid', answers: REPORTS.intermediate, label: waits, calls: ['wait4(PID)'] },
    ...answerToMapIds(facts),
    { does: 'takePid', answers: REPORTS.pid, label: waits, calls: ['wait4(PID)'] },
    {
      does: 'runHooks',
      answers: REPORTS.runtimeHooks,
      label: 'run the hooks prestart and createRuntime',
      calls: [...hookCalls(hooks, 'prestart'), ...hookCalls(hooks, 'createRuntime')],
    },
    {
      does: 'sendStateForCreate',
      answers: REPORTS.runtimeHooks,
      label: 'send the state for the hooks createContainer',
      calls: ['sendmsg(control, state)'],
    },
    {
      does: 'passTerminal',
      answers: REPORTS.terminal,
      label: 'take the terminal, for the console socket or the foreground',
      calls: ['recvmsg(control)'],
    },
  ];
  if ((hooks.startContainer ?? []).length > 0) {
    steps.push({
      does: 'sendStateForStart',
      answers: REPORTS.created,
      label: 'send the state for the hooks startContainer',
      calls: ['sendmsg(control, state)'],
    });
  }
  steps.push({
    does: 'saveProcess',
    answers: REPORTS.created,
    label: 'save the state, with the process',
    calls: saveCalls(facts),
  });
  return steps;
}

const hookCalls = (hooks: Readonly<Partial<Record<HookName, readonly Hook[]>>>, name: HookName): string[] =>
  (hooks[name] ?? []).map(({ path }) => `execve(${quote(path)})`);

function answerToMapIds({ config, rlimits, request }: CreationFacts): HostStep[] {
  const { uidMappings = [], gidMappings = [] } = config.linux ?? {};
  const answers = REPORTS.mapIds;
  const calls = [
    ...mapCalls('uid_map', uidMappings, request.rootless, process.geteuid?.()),
    ...mapCalls('gid_map', gidMappings, request.rootless, process.getegid?.()),
  ];
  const limits = rlimits.map(
    ({ type, soft, hard }) => `prlimit64(PID, ${type}, {rlim_cur=${soft}, rlim_max=${hard}})`,
  );
  return [
    { does: 'mapIds', answers, label: 'map the ids', calls },
    { does: 'setRlimits', answers, label: 'set the limits', calls: limits },
    { does: 'letGoOn', answers, label: 'let it go on', calls: ['sendmsg(control)'] },
  ];
}

function mapCalls(
  file: 'uid_map' | 'gid_map',
  mappings: readonly IdMapping[],
  rootless: boolean,
  own: number | undefined,
): string[] {
  const write = (name: string, text: string): string[] => [
    `openat(AT_FDCWD, "/proc/PID/${name}", O_RDWR|O_CLOEXEC)`,
    `write(${name}, ${quote(text)})`,
  ];
  if (!rootless) return write(file, mapText(mappings));
  if (!isOwnIdAlone(mappings, own)) return [`execve("/usr/bin/new${file.replace('_', '')}")`];
  return [...(file === 'gid_map' ? write('setgroups', 'deny') : []), ...write(file, mapText(mappings))];
}
