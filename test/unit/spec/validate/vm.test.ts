import { describe, expect, it } from 'vitest';
import { complaintsAfter, type Row, rowName } from '../../../support/complaints.ts';

const ROWS: readonly Row[] = [
  ['$.vm', { kernel: { path: '/boot/vmlinuz' } }],
  ['$.vm', {}, '$.vm.kernel: is required'],
  ['$.vm.kernel.path', 'vmlinuz', '$.vm.kernel.path: must be an absolute path'],
  ['$.vm.kernel.initrd', 'initrd', '$.vm.kernel.initrd: must be an absolute path'],
  ['$.vm.kernel.parameters', 'a b', '$.vm.kernel.parameters: must be an array'],
  ['$.vm.hypervisor.path', undefined, '$.vm.hypervisor.path: is required'],
  ['$.vm.image.format', undefined],
  [
    '$.vm.image.format',
    'iso',
    '$.vm.image.format: must be one of "raw", "qcow2", "vdi", "vmdk", "vhd", not "iso"',
  ],
  ['$.vm.hwConfig.vcpus', -1, '$.vm.hwConfig.vcpus: must be an integer from 0 to 4294967295'],
  ['$.vm.hwConfig.memory', 1.5, '$.vm.hwConfig.memory: must be an integer from 0 to 18446744073709551615'],
  ['$.vm.hwConfig.iomems[0].firstGFN', undefined],
  ['$.vm.hwConfig.iomems[0].firstMFN', undefined, '$.vm.hwConfig.iomems[0].firstMFN: is required'],
  ['$.vm.hwConfig.irqs', [1.5], '$.vm.hwConfig.irqs[0]: must be an integer from 0 to 4294967295'],
];

describe('vm', () => {
  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }
});
