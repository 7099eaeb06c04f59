import { openSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachDeviceFilter, replaceDeviceFilter } from '../../../cgroups/devices/attach.ts';
import { confineDevices } from '../../../cgroups/devices/confine.ts';
import { assembleDeviceFilter, planContainerPolicy, planDevices } from '../../../cgroups/devices/filter.ts';
import { planDevicePolicy } from '../../../cgroups/devices/policy.ts';
import type { DeviceRule } from '../../../spec/config/resources.ts';
import { Fd } from '../../../sys/fd.ts';
import { CgroupScratch, whyNoCgroups } from '../../support/cgroup-scratch.ts';
import type { Request } from '../../support/device-cgroup-v1.ts';
import { DEVICE_PROBE, DeviceNodes } from '../../support/device-probe.ts';

const reason = whyNoCgroups();
const [MKNOD, READ, WRITE, BOTH] = [1, 2, 4, 6];
const DENY_ALL: DeviceRule = { allow: false, access: 'rwm' };
const ALLOW_ALL: DeviceRule = { allow: true, access: 'rwm' };
const character = (major: number, minor: number, access: number): Request => ({
  type: 'c',
  major,
  minor,
  access,
});
const block = (major: number, minor: number, access: number): Request => ({
  type: 'b',
  major,
  minor,
  access,
});

// biome-ignore format: a table
const CASES: [name: string, rules: DeviceRule[], expected: [Request, string][]][] = [
  ['the default devices and nothing else', [DENY_ALL], [
    [character(1, 3, BOTH), 'OK'], [character(1, 5, READ), 'OK'], [character(1, 9, READ), 'OK'],
    [character(1, 11, READ), 'EPERM'], // /dev/kmsg
    [character(10, 237, READ), 'EPERM'], [block(60, 0, READ), 'EPERM'],
    [character(1, 11, MKNOD), 'OK'], [block(60, 0, MKNOD), 'OK'],
  ]],
  ['everything', [ALLOW_ALL], [
    [character(1, 11, READ), 'OK'], [block(60, 0, BOTH), 'ENXIO'], [character(60, 0, BOTH), 'ENXIO'],
  ]],
  ['a device for reading only', [DENY_ALL, { allow: true, type: 'c', major: 1, minor: 11, access: 'r' }], [
    [character(1, 11, READ), 'OK'], [character(1, 11, WRITE), 'EPERM'], [character(1, 11, BOTH), 'EPERM'],
    [character(1, 3, BOTH), 'OK'],
  ]],
  ['any minor of a major', [DENY_ALL, { allow: true, type: 'c', major: 60, access: 'rw' }], [
    [character(60, 0, BOTH), 'ENXIO'], [character(60, 255, READ), 'ENXIO'], [character(61, 0, READ), 'EPERM'],
    [block(60, 0, READ), 'EPERM'],
  ]],
  ['a minor of any major', [DENY_ALL, { allow: true, type: 'c', minor: 7, access: 'rw' }], [
    [character(60, 7, BOTH), 'ENXIO'], [character(61, 7, BOTH), 'ENXIO'], [character(61, 8, BOTH), 'EPERM'],
  ]],
  ['what the last rule says', [
    DENY_ALL, { allow: true, type: 'c', major: 60, minor: 1, access: 'rw' }, { allow: false, type: 'c', major: 60, minor: 1, access: 'w' },
  ], [
    [character(60, 1, READ), 'ENXIO'], [character(60, 1, WRITE), 'EPERM'], [character(60, 1, BOTH), 'EPERM'],
  ]],
  ['nothing of what came before a rule for all', [
    { allow: true, type: 'c', major: 60, minor: 1, access: 'rw' }, DENY_ALL, { allow: true, type: 'c', major: 60, minor: 2, access: 'rw' },
  ], [
    [character(60, 1, READ), 'EPERM'], [character(60, 2, READ), 'ENXIO'],
  ]],
  ['all but a device for writing', [ALLOW_ALL, { allow: false, type: 'b', major: 60, minor: 0, access: 'w' }], [
    [block(60, 0, READ), 'ENXIO'], [block(60, 0, WRITE), 'EPERM'], [block(60, 1, WRITE), 'ENXIO'],
    [block(60, 0, BOTH), 'EPERM'], // runc's filter lets this pass
  ]],
];

describe.skipIf(reason !== undefined)(`a device filter (${reason ?? 'as root'})`, () => {
  let hostNull: { uid: number; gid: number; mode: number };
  const identify = (): typeof hostNull => {
    const { uid, gid, mode } = statSync('/dev/null');
    return { uid, gid, mode };
  };
  beforeAll(() => {
    hostNull = identify();
  });
  afterAll(() => {
    expect(identify()).toEqual(hostNull);
  });

  for (const [name, rules, expected] of CASES) {
    it(`allows ${name}`, async () => {
      await using scratch = new CgroupScratch();
      using nodes = new DeviceNodes();
      using cgroup = scratch.create();
      confineDevices(cgroup.fd, planContainerPolicy(rules, new Set()), false);
      const prober = await scratch.start(cgroup, DEVICE_PROBE);
      const requests = expected.map(([request]) => request);
      expect(await nodes.attempt(prober, requests)).toEqual(expected.map(([, answer]) => answer));
    });
  }

  it('is what refuses: without one the same opens pass', async () => {
    await using scratch = new CgroupScratch();
    using nodes = new DeviceNodes();
    using cgroup = scratch.create();
    const prober = await scratch.start(cgroup, DEVICE_PROBE);
    const requests = [character(1, 11, READ), character(60, 1, BOTH), block(60, 0, MKNOD)];
    expect(await nodes.attempt(prober, requests)).toEqual(['OK', 'ENXIO', 'OK']);
    attachDeviceFilter(cgroup.fd, assembleDeviceFilter(planDevicePolicy([])));
    expect(await nodes.attempt(prober, requests)).toEqual(['EPERM', 'EPERM', 'EPERM']);
  });

  it('is not needed where everything is allowed', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    expect(confineDevices(cgroup.fd, planContainerPolicy([ALLOW_ALL], new Set()), false)).toBe(false);
    expect(confineDevices(cgroup.fd, planContainerPolicy([DENY_ALL], new Set()), false)).toBe(true);
  });

  it('binds the cgroups below too, and what they allow cannot widen it', async () => {
    await using scratch = new CgroupScratch();
    using nodes = new DeviceNodes();
    const top = scratch.newPath();
    using cgroup = scratch.create(top);
    using below = scratch.create(`${top}/below`);
    attachDeviceFilter(cgroup.fd, planDevices([DENY_ALL]));
    attachDeviceFilter(below.fd, planDevices([ALLOW_ALL]));
    const prober = await scratch.start(below, DEVICE_PROBE);
    const answers = await nodes.attempt(prober, [character(1, 11, READ), character(1, 3, READ)]);
    expect(answers).toEqual(['EPERM', 'OK']);
  });

  it('is replaced by an update, in both directions, any number of times', async () => {
    await using scratch = new CgroupScratch();
    using nodes = new DeviceNodes();
    using cgroup = scratch.create();
    attachDeviceFilter(cgroup.fd, planDevices([DENY_ALL]));
    const prober = await scratch.start(cgroup, DEVICE_PROBE);
    const kmsg = [character(1, 11, READ)];
    for (let i = 0; i < 3; i++) {
      replaceDeviceFilter(cgroup.fd, planDevices([ALLOW_ALL]));
      expect(await nodes.attempt(prober, kmsg)).toEqual(['OK']);
      replaceDeviceFilter(cgroup.fd, planDevices([DENY_ALL]));
      expect(await nodes.attempt(prober, kmsg)).toEqual(['EPERM']);
    }
  });

  it('replaces several at once, and starts from none', async () => {
    await using scratch = new CgroupScratch();
    using nodes = new DeviceNodes();
    using cgroup = scratch.create();
    const prober = await scratch.start(cgroup, DEVICE_PROBE);
    const kmsg = [character(1, 11, READ)];
    replaceDeviceFilter(cgroup.fd, planDevices([DENY_ALL]));
    attachDeviceFilter(cgroup.fd, assembleDeviceFilter(planDevicePolicy([])));
    expect(await nodes.attempt(prober, kmsg)).toEqual(['EPERM']);
    replaceDeviceFilter(cgroup.fd, planDevices([ALLOW_ALL]));
    expect(await nodes.attempt(prober, kmsg)).toEqual(['OK']);
  });

  it('fails closed where it cannot be attached, unless rootless', () => {
    using notACgroup = new Fd(openSync('/dev/null', 'r'));
    const policy = planContainerPolicy([DENY_ALL], new Set());
    expect(() => confineDevices(notACgroup, policy, false)).toThrow(
      'cannot confine devices: bpf "BPF_PROG_ATTACH": bad file descriptor',
    );
    expect(confineDevices(notACgroup, policy, true)).toBe(false);
  });

  it('takes as many rules as there may be', async () => {
    await using scratch = new CgroupScratch();
    using nodes = new DeviceNodes();
    using cgroup = scratch.create();
    const rules = Array.from({ length: 4096 }, (_, minor): DeviceRule => {
      return { allow: true, type: 'c', major: 60, minor, access: 'rw' };
    });
    attachDeviceFilter(cgroup.fd, planDevices(rules));
    const prober = await scratch.start(cgroup, DEVICE_PROBE);
    const requests = [character(60, 0, BOTH), character(60, 4095, BOTH), character(60, 4096, BOTH)];
    expect(await nodes.attempt(prober, requests)).toEqual(['ENXIO', 'ENXIO', 'EPERM']);
  });
});
