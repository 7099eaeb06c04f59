// `linux.resources.devices` as written, and the rules that runc adds to it.
import type { DeviceRule } from '../../spec/config/resources.ts';
import { BPF_DEVCG_ACC_MKNOD, BPF_DEVCG_ACC_READ, BPF_DEVCG_ACC_WRITE } from '../../sys/abi/bpf.ts';

/** Which devices; an undefined number is any. */
export interface DeviceMatch {
  readonly type: 'b' | 'c';
  readonly major: number | undefined;
  readonly minor: number | undefined;
}

/** A rule about some devices, or (`match` undefined) about all devices and every access to them. */
export interface ParsedRule {
  readonly allow: boolean;
  readonly match: DeviceMatch | undefined;
  /** BPF_DEVCG_ACC_* */
  readonly access: number;
}

/** Three times what a host with 1000 disks would list. Rules become instructions that the kernel verifies. */
const RULES_MAX = 4096;
/** A u32 in cgroup v1's devices.allow, which takes 0xffffffff for any. */
const NUMBER_MAX = 0xffff_fffe;
/** How engines spell "any". */
const ANY_NUMBER = -1;

const ACCESS: ReadonlyMap<string, number> = new Map([
  ['r', BPF_DEVCG_ACC_READ],
  ['w', BPF_DEVCG_ACC_WRITE],
  ['m', BPF_DEVCG_ACC_MKNOD],
]);

/** @throws {Error} with runc's texts */
export function parseDeviceRules(rules: readonly DeviceRule[]): ParsedRule[] {
  if (rules.length > RULES_MAX) throw new Error(`more than ${RULES_MAX} device rules: ${rules.length}`);
  return rules.map(parseRule);
}

function parseRule(rule: DeviceRule, index: number): ParsedRule {
  const { allow, type = 'a' } = rule;
  if (!rule.access) throw new Error(`device access at ${index} field cannot be empty`);
  const access = parseAccess(rule.access, index);
  const major = parseNumber('major', rule.major, index);
  const minor = parseNumber('minor', rule.minor, index);
  // As the kernel's devices.allow: after an "a" the rest of the line is not looked at.
  if (type === 'a') return { allow, match: undefined, access };
  if (type !== 'b' && type !== 'c') throw new Error(`invalid cgroup device type ${JSON.stringify(type)}`);
  return { allow, match: { type, major, minor }, access };
}

function parseAccess(access: string, index: number): number {
  let bits = 0;
  for (const letter of access) {
    const bit = ACCESS.get(letter);
    if (bit === undefined) throw new Error(`invalid device access ${JSON.stringify(access)} at ${index}`);
    bits |= bit;
  }
  return bits;
}

function parseNumber(name: string, value: number | undefined, index: number): number | undefined {
  if (value === undefined || value === ANY_NUMBER) return undefined;
  if (Number.isInteger(value) && value >= 0 && value <= NUMBER_MAX) return value;
  throw new Error(`invalid device ${name} ${value} at ${index}`);
}

/** `c 1:3 rwm`, as in devices.list */
export function formatMatch({ type, major, minor }: DeviceMatch, access: number): string {
  const letters = [...ACCESS].filter(([, bit]) => (access & bit) !== 0).map(([letter]) => letter);
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${letters.join('')}`;
}

interface DefaultRule {
  readonly match: DeviceMatch;
  readonly access: number;
  readonly path?: string;
}

const M = BPF_DEVCG_ACC_MKNOD;
const RWM = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;

/**
 * What every container may use, whatever its rules say: appended to them as runc does (specconv.AllowedDevices).
 * /dev/console is a pty. /dev/net/tun was dropped in runc 1.2.0 and put back in 1.2.4, after VPNs had stopped working.
 */
// biome-ignore format: a table
const DEFAULTS: readonly DefaultRule[] = [
  { match: { type: 'c', major: undefined, minor: undefined }, access: M }, // nodes can be made of any device, not opened
  { match: { type: 'b', major: undefined, minor: undefined }, access: M },
  { match: { type: 'c', major: 1,   minor: 3 },         access: RWM, path: '/dev/null' },
  { match: { type: 'c', major: 1,   minor: 8 },         access: RWM, path: '/dev/random' },
  { match: { type: 'c', major: 1,   minor: 7 },         access: RWM, path: '/dev/full' },
  { match: { type: 'c', major: 5,   minor: 0 },         access: RWM, path: '/dev/tty' },
  { match: { type: 'c', major: 1,   minor: 5 },         access: RWM, path: '/dev/zero' },
  { match: { type: 'c', major: 1,   minor: 9 },         access: RWM, path: '/dev/urandom' },
  { match: { type: 'c', major: 136, minor: undefined }, access: RWM }, // /dev/pts/*
  { match: { type: 'c', major: 5,   minor: 2 },         access: RWM }, // /dev/ptmx
  { match: { type: 'c', major: 10,  minor: 200 },       access: RWM }, // /dev/net/tun
];

/** `nodePaths`: of `linux.devices`. A config that defines /dev/null itself must allow it itself. */
export function defaultDeviceRules(nodePaths: ReadonlySet<string>): ParsedRule[] {
  const rules: ParsedRule[] = [];
  for (const { match, access, path } of DEFAULTS) {
    if (path === undefined || !nodePaths.has(path)) rules.push({ allow: true, match, access });
  }
  return rules;
}
