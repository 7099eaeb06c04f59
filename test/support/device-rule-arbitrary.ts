// Random device rules and requests that meet often: few numbers, among them those at the edges.
import fc from 'fast-check';
import type { Request, SimulatedRule } from './device-cgroup-v1.ts';

/** The largest numbers that a device can have are 4095 and 0xfffff; rules may name larger ones. */
const EDGE_MAJORS = [0, 4095, 4096, 0x8000_0000, 0xffff_fffe];
const EDGE_MINORS = [0, 255, 256, 0xfffff, 0x10_0000, 0xffff_fffe];

const number = (edges: readonly number[], ...usual: readonly number[]): fc.Arbitrary<number | undefined> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 6, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...edges) },
  );

const type = fc.constantFrom('b' as const, 'c' as const);
const match = fc.record({ type, major: number(EDGE_MAJORS, 60, 61), minor: number(EDGE_MINORS, 1, 2) });

export const simulatedRule: fc.Arbitrary<SimulatedRule> = fc.record({
  allow: fc.boolean(),
  match: fc.oneof({ weight: 9, arbitrary: match }, { weight: 1, arbitrary: fc.constant(undefined) }),
  access: fc.integer({ min: 1, max: 7 }),
});

export const request: fc.Arbitrary<Request> = fc.record({
  type,
  major: fc.constantFrom(0, 60, 60, 61, 61, 62, 4095),
  minor: fc.constantFrom(0, 1, 1, 2, 2, 3, 256, 0xfffff),
  access: fc.integer({ min: 0, max: 7 }),
});
