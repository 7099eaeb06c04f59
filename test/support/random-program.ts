// Random programs of harmless calls, whose results are the same wherever they run: no pids, clocks, addresses or
// numbers of new descriptors. Every branch leads ahead, so every program ends.
import fc from 'fast-check';
import type { SyscallName } from '../../sys/abi/syscalls.ts';
import type { ErrnoName } from '../../sys/errno.ts';
import {
  type ArithmeticOp,
  addressOf,
  type Block,
  block,
  buffer,
  type CallOptions,
  type Comparison,
  type Operand,
  Program,
  place,
  type Slot,
  slot,
  type Width,
} from '../../sys/plan/program.ts';

/** Adds its steps to a program. What it draws from is fixed, so that fast-check can shrink a list of them. */
type Piece = (p: Program, scope: Scope) => void;

interface Scope {
  readonly slots: readonly Slot[];
  readonly blocks: readonly Block[];
  /** Holds pointers, and so is not observed. */
  readonly pointer: Slot;
  /** Holds what uname says; its machine is not the same everywhere. */
  readonly names: Block;
  /** A label `distance` pieces ahead. */
  ahead(distance: number): string;
}

export const FILE_SLOTS: readonly string[] = ['file 0', 'file 1'];
/** Numbers that programs duplicate files to; whoever runs one in a process of its own closes them. */
export const DUPLICATES: readonly number[] = [600, 601];
const BAD_FD = 999;
const SLOTS = 4;
const BLOCKS = 3;
const BLOCK_BYTES = 64;

const word = fc.oneof(
  fc.bigInt(-16n, 80n),
  fc.bigInt(-(1n << 63n), (1n << 64n) - 1n),
  fc.constantFrom(0n, -1n, 1n << 31n, 1n << 32n, 1n << 63n, (1n << 63n) - 1n, -4095n, -4096n, 1n << 53n),
);
const slotIndex = fc.nat(SLOTS - 1);
const blockIndex = fc.nat(BLOCKS - 1);
const offset = fc.nat(BLOCK_BYTES - 8);
const count = fc.nat(8);
const width = fc.constantFrom<Width>(1, 2, 4, 8);

type Choose = (scope: Scope) => Operand;
const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
const value: fc.Arbitrary<Choose> = fc.oneof(
  word.map(
    (bits): Choose =>
      () =>
        bits,
  ),
  slotIndex.map(
    (index): Choose =>
      ({ slots }) =>
        at(slots, index),
  ),
);
const file: fc.Arbitrary<Choose> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(...FILE_SLOTS).map(
      (name): Choose =>
        () =>
          slot(name),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...DUPLICATES).map(
      (number): Choose =>
        () =>
          number,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(BAD_FD, -1).map(
      (number): Choose =>
        () =>
          number,
    ),
  },
);
const spot = fc.tuple(blockIndex, offset).map(
  ([index, distance]): Choose =>
    ({ blocks }) =>
      place(at(blocks, index), distance),
);
const smallNumber = fc.integer({ min: -2, max: 300 }).map(
  (number): Choose =>
    () =>
      number,
);
const whence = fc.nat(5).map(
  (number): Choose =>
    () =>
      number,
);
const constant = (number: number): fc.Arbitrary<Choose> => fc.constant(() => number);

const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
// biome-ignore format: a table
const CALLS: readonly (readonly [SyscallName, readonly fc.Arbitrary<Choose>[]])[] = [
  ['lseek',     [file, value, whence]],
  ['read',      [file, spot, count.map((n): Choose => () => n)]],
  ['write',     [file, spot, count.map((n): Choose => () => n)]],
  ['pread64',   [file, spot, count.map((n): Choose => () => n), smallNumber]],
  ['pwrite64',  [file, spot, count.map((n): Choose => () => n), smallNumber]],
  ['ftruncate', [file, smallNumber]],
  ['fcntl',     [file, constant(F_GET_SEALS)]],
  ['fcntl',     [file, constant(F_ADD_SEALS), constant(1)]],
  ['fsync',     [file]],
  ['dup3',      [file, fc.constantFrom(...DUPLICATES).map((n): Choose => () => n), constant(0)]],
  ['dup3',      [constant(BAD_FD), constant(BAD_FD), constant(0)]],
  ['close',     [fc.constantFrom(...DUPLICATES, BAD_FD).map((n): Choose => () => n)]],
  ['getcwd',    [fc.constant(({ blocks }) => at(blocks, 0)), fc.constantFrom(0, 1, BLOCK_BYTES).map((n): Choose => () => n)]],
  ['uname',     [fc.constant(({ names }) => names)]],
];

const ERRNOS: readonly ErrnoName[] = ['EBADF', 'EINVAL', 'ERANGE', 'EPERM', 'EFBIG', 'ENXIO', 'EOVERFLOW'];
const distance = fc.integer({ min: 0, max: 4 });
const policies: fc.Arbitrary<(scope: Scope) => CallOptions> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(() => ({ ignore: ['any'] as const })) },
  { weight: 3, arbitrary: fc.subarray([...ERRNOS]).map((ignore) => () => ({ ignore })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...ERRNOS), distance, distance)
      .map(([errno, here, there]) => (scope: Scope) => ({
        on: { [errno]: scope.ahead(here), any: scope.ahead(there) },
      })),
  },
);

const call: fc.Arbitrary<Piece> = fc
  .constantFrom(...CALLS)
  .chain(([name, operands]) => fc.tuple(fc.constant(name), fc.tuple(...operands), slotIndex, policies))
  .map(([name, operands, into, options]) => (p, scope) => {
    const chosen = operands.map((choose) => choose(scope));
    p.call(name, name, chosen, { ...options(scope), into: at(scope.slots, into) });
  });

const set: fc.Arbitrary<Piece> = fc
  .tuple(slotIndex, fc.constantFrom<ArithmeticOp>('move', 'add', 'subtract', 'and', 'or'), value, value)
  .map(([into, op, left, right]) => (p, scope) => {
    p.set('set', at(scope.slots, into), left(scope), op, right(scope));
  });

const branch: fc.Arbitrary<Piece> = fc
  .tuple(value, fc.constantFrom<Comparison>('equal', 'notEqual', 'below', 'less'), value, distance)
  .map(([left, comparison, right, to]) => (p, scope) => {
    p.branch('branch', left(scope), comparison, right(scope), scope.ahead(to));
  });

const load: fc.Arbitrary<Piece> = fc.tuple(slotIndex, width, spot).map(
  ([into, bytes, from]) =>
    (p, scope) =>
      p.load('load', at(scope.slots, into), bytes, from(scope)),
);

const store: fc.Arbitrary<Piece> = fc.tuple(width, spot, value).map(
  ([bytes, to, of]) =>
    (p, scope) =>
      p.store('store', bytes, to(scope), of(scope)),
);

const loadThroughPointer: fc.Arbitrary<Piece> = fc
  .tuple(slotIndex, width, blockIndex, offset)
  .map(([into, bytes, index, distanceInBlock]) => (p, { slots, blocks, pointer }) => {
    p.set('point', pointer, at(blocks, index), 'add', distanceInBlock);
    p.load('load', at(slots, into), bytes, pointer);
  });

const loadSystemName: fc.Arbitrary<Piece> = fc.tuple(slotIndex, fc.nat(120)).map(
  ([into, from]) =>
    (p, { slots, names }) =>
      p.load('load', at(slots, into), 8, place(names, from)),
);

const fail: fc.Arbitrary<Piece> = fc
  .constantFrom<ErrnoName>('EPROTO', 'EPERM')
  .map((errno) => (p) => p.fail('fail', errno));

const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 10, arbitrary: call },
  { weight: 4, arbitrary: set },
  { weight: 3, arbitrary: branch },
  { weight: 2, arbitrary: load },
  { weight: 2, arbitrary: store },
  { weight: 1, arbitrary: loadThroughPointer },
  { weight: 1, arbitrary: loadSystemName },
  { weight: 1, arbitrary: fail },
);

/** Descriptors to observe the program through: what it writes there at its end. */
export const OUTPUT_SLOT = 'output';

/** A program over {@link FILE_SLOTS} that writes all slots and blocks to the descriptor in {@link OUTPUT_SLOT}. */
export const randomProgram: fc.Arbitrary<Program> = fc
  .array(piece, { minLength: 3, maxLength: 40 })
  .map((pieces) => {
    const p = new Program();
    const slots = Array.from({ length: SLOTS }, (_, index) => slot(`slot ${index}`));
    const filled = new Uint8Array(BLOCK_BYTES).map((_, index) => 0x30 + index);
    const blocks = [block('filled', filled), buffer('zeros', BLOCK_BYTES), buffer('more zeros', BLOCK_BYTES)];
    const [pointer, names] = [slot('pointer'), buffer('names', 512)];
    pieces.forEach((add, index) => {
      const ahead = (by: number): string => `before ${Math.min(index + 1 + by, pieces.length)}`;
      p.mark(`before ${index}`);
      add(p, { slots, blocks, pointer, names, ahead });
    });
    p.mark(`before ${pieces.length}`);
    const output = slot(OUTPUT_SLOT);
    for (const of of slots) p.call('write slot', 'write', [output, addressOf(of), 8]);
    for (const of of blocks) p.call('write block', 'write', [output, of, BLOCK_BYTES]);
    return p;
  });
