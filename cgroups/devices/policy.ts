// The devices cgroup of v1, emulated: a default and its exceptions, as runc builds them from the ordered rules.
// @see security/device_cgroup.c of the kernel; runc's devices emulator
import { type DeviceMatch, formatMatch, type ParsedRule } from './rule.ts';

/** Accesses that are treated against the default. */
export interface DeviceException extends DeviceMatch {
  readonly access: number;
}

export interface DevicePolicy {
  readonly allowsByDefault: boolean;
  /** At most one for each match; none that another one makes superfluous. */
  readonly exceptions: readonly DeviceException[];
}

type Exceptions = Map<string, DeviceException>;

/**
 * Applies the rules in order to a cgroup that denies everything.
 *
 * A rule for all devices sets the default and forgets the exceptions. Any other one adds an exception if it is against
 * the default, or takes one back.
 *
 * @throws {Error} where cgroup v1 would do nothing although it was told to take something back
 */
export function planDevicePolicy(rules: readonly ParsedRule[]): DevicePolicy {
  let allowsByDefault = false;
  const exceptions: Exceptions = new Map();
  for (const { allow, match, access } of rules) {
    if (match === undefined) {
      allowsByDefault = allow;
      exceptions.clear();
    } else if (allow === allowsByDefault) takeBack(exceptions, match, access, allow);
    else add(exceptions, match, access);
  }
  return { allowsByDefault, exceptions: withoutSuperfluous(exceptions) };
}

export const allowsEverything = ({ allowsByDefault, exceptions }: DevicePolicy): boolean =>
  allowsByDefault && exceptions.length === 0;

const keyOf = ({ type, major, minor }: DeviceMatch): string => `${type} ${major ?? '*'}:${minor ?? '*'}`;

function add(exceptions: Exceptions, match: DeviceMatch, access: number): void {
  const key = keyOf(match);
  exceptions.set(key, { ...match, access: access | (exceptions.get(key)?.access ?? 0) });
}

function takeBack(exceptions: Exceptions, match: DeviceMatch, access: number, allow: boolean): void {
  refuseHole(exceptions, match, access, allow);
  const key = keyOf(match);
  const left = (exceptions.get(key)?.access ?? 0) & ~access;
  if (left === 0) exceptions.delete(key);
  else exceptions.set(key, { ...match, access: left });
}

/** cgroup v1 ignores such a rule without a word; runc refuses it, since somebody relies on what it says. */
function refuseHole(exceptions: Exceptions, match: DeviceMatch, access: number, allow: boolean): void {
  for (const exception of exceptions.values()) {
    if ((exception.access & access) === 0 || !isWider(exception, match)) continue;
    const removed = allow ? "unable to remove 'deny' exception" : "unable to remove 'allow' exception";
    const [hole, rule] = [formatMatch(match, access), formatMatch(exception, exception.access)];
    throw new Error(
      `${removed}: requested rule [${hole}] not supported by devices cgroupv1 (cannot punch hole in existing wildcard rule [${rule}])`,
    );
  }
}

/** Whether `a` has a wildcard where `b` has a number, and no other difference. */
function isWider(a: DeviceMatch, b: DeviceMatch): boolean {
  if (a.type !== b.type || (a.major === b.major && a.minor === b.minor)) return false;
  return (a.major === undefined || a.major === b.major) && (a.minor === undefined || a.minor === b.minor);
}

/** Drops `c 1:3 rw` beside `c 1:* rwm`. */
function withoutSuperfluous(exceptions: Exceptions): DeviceException[] {
  const all = [...exceptions.values()].sort(byDevice);
  const wide = all.filter((one) => one.major === undefined || one.minor === undefined);
  const covers = (a: DeviceException, b: DeviceException): boolean =>
    (b.access & ~a.access) === 0 && isWider(a, b);
  return all.filter((one) => !wide.some((other) => covers(other, one)));
}

const byNumber = (a: number | undefined, b: number | undefined): number => (a ?? -1) - (b ?? -1);

/** A fixed order, whatever order the rules came in: character devices first, by number. */
const byDevice = (a: DeviceException, b: DeviceException): number =>
  byType(a, b) || byNumber(a.major, b.major) || byNumber(a.minor, b.minor);

/** Not localeCompare(): its first call loads the collation tables, 20 ms. */
function byType(a: DeviceException, b: DeviceException): number {
  if (a.type === b.type) return 0;
  return a.type === 'c' ? -1 : 1;
}
