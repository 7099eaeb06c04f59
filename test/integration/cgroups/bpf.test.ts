import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { disassemble, encodeProgram } from '../../../cgroups/devices/bpf.ts';
import { planDevices } from '../../../cgroups/devices/filter.ts';
import * as bpf from '../../../sys/abi/bpf.ts';
import { verifierListing } from '../../support/bpf-verifier.ts';
import { compilerMissing, cValues } from '../../support/c-program.ts';
import { whyNoCgroups } from '../../support/cgroup-scratch.ts';

const reason = whyNoCgroups();

describe.skipIf(reason !== undefined)(`disassemble() (${reason ?? 'as root'})`, () => {
  it('prints a program as the kernel reads it', () => {
    const block = { type: 'b', access: 'rw' } as const;
    const lists = [
      [
        { allow: false, access: 'rwm' },
        { ...block, allow: true, major: 8 },
        { ...block, allow: true, minor: 3 },
      ],
      [
        { allow: true, access: 'rwm' },
        { ...block, allow: false, major: 4000, minor: 1 },
      ],
    ];
    for (const rules of lists) {
      const program = planDevices(rules);
      const kernel = verifierListing(encodeProgram(program));
      expect(`${kernel.join('\n')}\n`).toBe(disassemble(program));
    }
  });
});

const noHeader =
  compilerMissing ?? (existsSync('/usr/include/linux/bpf.h') ? undefined : 'needs linux/bpf.h');
const HEADERS = ['linux/bpf.h'];

describe.skipIf(noHeader !== undefined)(`sys/abi/bpf.ts (${noHeader ?? 'with the C header'})`, () => {
  it('has the constants of linux/bpf.h', () => {
    const ours = Object.entries<unknown>({ ...bpf }).filter(([, value]) => typeof value === 'number');
    expect(ours.length).toBeGreaterThan(10);
    const names = ours.map(([name]) => name);
    expect(cValues(HEADERS, names)).toEqual(ours.map(([, value]) => value));
  });

  it('has the layouts of linux/bpf.h', () => {
    const { offsets } = bpf.bpf_attr_prog_load;
    const load = Object.entries(offsets).filter(([field]) => field !== 'prog_name_end');
    const { offsets: attach } = bpf.bpf_attr_prog_attach;
    const { offsets: context } = bpf.bpf_cgroup_dev_ctx;
    const { prog_cnt, prog_ids } = bpf.bpf_attr_prog_query.offsets;
    const expected = new Map<string, number>([
      ...[...load, ...Object.entries(attach)].map(
        ([field, at]) => [`offsetof(union bpf_attr, ${field})`, at] as const,
      ),
      ...Object.entries(context).map(
        ([field, at]) => [`offsetof(struct bpf_cgroup_dev_ctx, ${field})`, at] as const,
      ),
      ['offsetof(union bpf_attr, query.prog_cnt)', prog_cnt],
      ['offsetof(union bpf_attr, query.prog_ids)', prog_ids],
      ['offsetof(union bpf_attr, open_flags)', bpf.bpf_attr_get_id.offsets.open_flags],
      ['sizeof(struct bpf_cgroup_dev_ctx)', bpf.bpf_cgroup_dev_ctx.size],
    ]);
    expect(cValues(HEADERS, [...expected.keys()])).toEqual([...expected.values()]);
  });
});
