import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';
import { reportOf } from '../support/probe-report.ts';

describe('sysctl', () => {
  it('sets those of the namespaces that the container has for itself', async () => {
    await using host = await TestHost.open();
    const { sysctl } = await reportOf(host, (config) => {
      config.linux.sysctl = {
        'net.ipv4.ip_forward': '1',
        'net/ipv4/ping_group_range': '0 10',
        'kernel.shm_rmid_forced': '1',
        'kernel.msgmax': '9000',
        'fs.mqueue.msg_max': '7',
      };
    });
    expect(sysctl).toMatchObject({
      'net.ipv4.ip_forward': '1',
      'net.ipv4.ping_group_range': '0\t10',
      'kernel.shm_rmid_forced': '1',
      'kernel.msgmax': '9000',
      'fs.mqueue.msg_max': '7',
    });
  });

  it('changes nothing of the host', async () => {
    await using host = await TestHost.open();
    const file = '/proc/sys/net/ipv4/ping_group_range';
    const before = readFileSync(file, 'utf8');
    await reportOf(host, (config) => {
      config.linux.sysctl = { 'net.ipv4.ping_group_range': '5 6' };
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('fails where the kernel refuses the value, with nothing left', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.linux.sysctl = { 'net.ipv4.ip_forward': 'many' };
    });
    const { status, stderr } = await host.runtime.run(host.id(), bundle);
    expect(status).toBe(1);
    expect(stderr).toMatch(/ip_forward/);
    expect(await host.differences()).toEqual([]);
  });
});
