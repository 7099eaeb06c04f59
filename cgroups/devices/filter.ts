// From device rules to the eBPF program that enforces them.
import type { DeviceRule } from '../../spec/config/resources.ts';
import {
  BPF_DEVCG_ACC_MKNOD,
  BPF_DEVCG_ACC_READ,
  BPF_DEVCG_ACC_WRITE,
  BPF_DEVCG_DEV_BLOCK,
  BPF_DEVCG_DEV_CHAR,
  bpf_cgroup_dev_ctx,
} from '../../sys/abi/bpf.ts';
import { BpfAssembler, type BpfInstruction, type Label } from './bpf.ts';
import { type DeviceException, type DevicePolicy, planDevicePolicy } from './policy.ts';
import { defaultDeviceRules, parseDeviceRules } from './rule.ts';

const EVERY_ACCESS = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
const TYPES = { c: BPF_DEVCG_DEV_CHAR, b: BPF_DEVCG_DEV_BLOCK } as const;

/** MINORBITS of linux/kdev_t.h; the kernel has no device with a number beyond, so a rule for one says nothing. */
const MINOR_BITS = 20;
const MAJOR_BITS = 12;

// Registers: the kernel's for the verdict and the context, the rest as we like.
const VERDICT = 0;
const CONTEXT = 1;
const TYPE = 2;
const ACCESS = 3;
const MAJOR = 4;
const MINOR = 5;
const DEVICE = 6;
const SCRATCH = 7;

/**
 * The program for `linux.resources.devices` with the devices that every container has.
 * @param nodePaths the paths of `linux.devices`
 * @throws {Error}
 */
export function planDevices(
  rules: readonly DeviceRule[],
  nodePaths: ReadonlySet<string> = new Set(),
): BpfInstruction[] {
  return assembleDeviceFilter(planContainerPolicy(rules, nodePaths));
}

export function planContainerPolicy(
  rules: readonly DeviceRule[],
  nodePaths: ReadonlySet<string>,
): DevicePolicy {
  return planDevicePolicy([...parseDeviceRules(rules), ...defaultDeviceRules(nodePaths)]);
}

/**
 * All matches jump to one place, and exceptions with equal access are tested together: the verifier walks every branch,
 * and with a verdict at the end of each rule loading the defaults took it 500 us, against 60 us so.
 */
export function assembleDeviceFilter({ allowsByDefault, exceptions }: DevicePolicy): BpfInstruction[] {
  const assembler = new BpfAssembler();
  const matched: Label = [];
  const possible = exceptions.filter(isPossible);
  if (possible.length > 0) loadContext(assembler);
  matchType(assembler, 'c', possible, allowsByDefault, matched);
  matchType(assembler, 'b', possible, allowsByDefault, matched);
  giveVerdict(assembler, allowsByDefault);
  if (possible.length > 0) {
    assembler.place(matched);
    giveVerdict(assembler, !allowsByDefault);
  }
  return assembler.finish();
}

const isPossible = ({ major, minor }: DeviceException): boolean =>
  (major ?? 0) < 1 << MAJOR_BITS && (minor ?? 0) < 1 << MINOR_BITS;

function giveVerdict(assembler: BpfAssembler, allow: boolean): void {
  assembler.emit('set32', VERDICT, 0, 0, allow ? 1 : 0);
  assembler.emit('exit');
}

function loadContext(assembler: BpfAssembler): void {
  const { access_type, major, minor } = bpf_cgroup_dev_ctx.offsets;
  assembler.emit('load32', TYPE, CONTEXT, access_type);
  assembler.emit('move32', ACCESS, TYPE);
  assembler.emit('and32', TYPE, 0, 0, 0xffff);
  assembler.emit('shiftR32', ACCESS, 0, 0, 16);
  assembler.emit('load32', MAJOR, CONTEXT, major);
  assembler.emit('load32', MINOR, CONTEXT, minor);
  assembler.emit('move32', DEVICE, MAJOR);
  assembler.emit('shiftL32', DEVICE, 0, 0, MINOR_BITS);
  assembler.emit('or32', DEVICE, MINOR);
}

function matchType(
  assembler: BpfAssembler,
  type: 'b' | 'c',
  exceptions: readonly DeviceException[],
  allowsByDefault: boolean,
  matched: Label,
): void {
  const ofType = exceptions.filter((one) => one.type === type);
  if (ofType.length === 0) return;
  const otherType: Label = [];
  assembler.emitJump('ifUnequal', otherType, TYPE, TYPES[type]);
  for (const [access, group] of Map.groupBy(ofType, (one) => one.access)) {
    const otherAccess: Label = [];
    if (allowsByDefault) skipUnlessOverlapping(assembler, access, otherAccess);
    else skipUnlessIncluded(assembler, access, otherAccess);
    for (const exception of group) matchDevice(assembler, exception, matched);
    assembler.place(otherAccess);
  }
  assembler.place(otherType);
}

/** Opening for reading and writing needs one exception that allows both. */
function skipUnlessIncluded(assembler: BpfAssembler, access: number, to: Label): void {
  const forbidden = EVERY_ACCESS & ~access;
  if (forbidden !== 0) assembler.emitJump('ifAnyBit', to, ACCESS, forbidden);
}

/** Opening for reading and writing is refused where either is. runc's filter lets it pass where only one is. */
function skipUnlessOverlapping(assembler: BpfAssembler, access: number, to: Label): void {
  assembler.emit('move32', SCRATCH, ACCESS);
  assembler.emit('and32', SCRATCH, 0, 0, access);
  assembler.emitJump('ifEqual', to, SCRATCH, 0);
}

function matchDevice(assembler: BpfAssembler, { major, minor }: DeviceException, matched: Label): void {
  if (major !== undefined && minor !== undefined) {
    assembler.emitJump('ifEqual', matched, DEVICE, (major << MINOR_BITS) | minor);
  } else if (major !== undefined) assembler.emitJump('ifEqual', matched, MAJOR, major);
  else if (minor !== undefined) assembler.emitJump('ifEqual', matched, MINOR, minor);
  else assembler.emitJump('jump', matched);
}
