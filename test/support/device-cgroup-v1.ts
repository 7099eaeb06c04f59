// The devices cgroup of v1 as security/device_cgroup.c has it, with its silences: what device rules mean.
import type { DeviceMatch } from '../../cgroups/devices/rule.ts';

export interface SimulatedRule {
  readonly allow: boolean;
  /** Undefined: `a`. */
  readonly match: DeviceMatch | undefined;
  readonly access: number;
}

export interface Request {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  readonly access: number;
}

interface Exception {
  readonly match: DeviceMatch;
  access: number;
}

const isSame = (a: DeviceMatch, b: DeviceMatch): boolean =>
  a.type === b.type && a.major === b.major && a.minor === b.minor;

const applies = ({ match }: Exception, { type, major, minor }: Request): boolean =>
  match.type === type &&
  (match.major === undefined || match.major === major) &&
  (match.minor === undefined || match.minor === minor);

export class DeviceCgroupV1 {
  #allowsByDefault = false;
  #exceptions: Exception[] = [];

  constructor(rules: readonly SimulatedRule[] = []) {
    for (const rule of rules) this.write(rule);
  }

  /** A line written to devices.allow or devices.deny. */
  write({ allow, match, access }: SimulatedRule): void {
    if (match === undefined) {
      this.#allowsByDefault = allow;
      this.#exceptions = [];
    } else if (allow === this.#allowsByDefault) this.#remove(match, access);
    else this.#add(match, access);
  }

  #add(match: DeviceMatch, access: number): void {
    const existing = this.#exceptions.find((one) => isSame(one.match, match));
    if (existing === undefined) this.#exceptions.push({ match, access });
    else existing.access |= access;
  }

  #remove(match: DeviceMatch, access: number): void {
    for (const one of this.#exceptions) {
      if (isSame(one.match, match)) one.access &= ~access;
    }
    this.#exceptions = this.#exceptions.filter((one) => one.access !== 0);
  }

  /** devcgroup_check_permission() */
  permits(request: Request): boolean {
    const matching = this.#exceptions.filter((one) => applies(one, request));
    if (this.#allowsByDefault) return !matching.some((one) => (request.access & one.access) !== 0);
    return matching.some((one) => (request.access & ~one.access) === 0);
  }
}
