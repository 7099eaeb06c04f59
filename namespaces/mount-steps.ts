// The new mount API as steps: file systems and binds are made detached, get their attributes there, and are attached
// by descriptor (rule D4): nothing is ever reachable with fewer restrictions than it ends with.
import {
  AT_EMPTY_PATH,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  OPEN_TREE_CLOEXEC,
} from '../sys/abi/constants.ts';
import { mount_attr } from '../sys/abi/structs.ts';
import { block, cString, flags, type Operand, type Program, type Slot, slot } from '../sys/plan/program.ts';
import type { Attributes } from './mount-options.ts';
import { close } from './paths.ts';

/** `['mode', '755']` is a string parameter, `['ro']` a flag. */
export type Parameter = readonly [name: string, value?: string];

export interface NewFilesystem {
  readonly type: string;
  /** `"proc" for "/proc"`, for labels. */
  readonly what: string;
  readonly parameters: readonly Parameter[];
  /** MOUNT_ATTR_* */
  readonly attributes: number;
  readonly into: Slot;
  /** Where to go on when the kernel refuses to make one here (a user namespace without a network namespace). */
  readonly onRefusal?: string;
}

/** A detached mount of a new instance of a file system. */
export function newFilesystem(
  p: Program,
  { type, what, parameters, attributes, into, onRefusal }: NewFilesystem,
): void {
  const context = slot('fs');
  const label = `make ${what}`;
  const on = onRefusal === undefined ? {} : { on: { EPERM: onRefusal, EBUSY: onRefusal } };
  p.call(label, 'fsopen', [cString(type), flags(FSOPEN_CLOEXEC, 'FSOPEN_CLOEXEC')], { into: context, ...on });
  for (const [name, value] of parameters) {
    const set =
      value === undefined
        ? [context, flags(FSCONFIG_SET_FLAG, 'FSCONFIG_SET_FLAG'), cString(name), 0, 0]
        : [context, flags(FSCONFIG_SET_STRING, 'FSCONFIG_SET_STRING'), cString(name), cString(value), 0];
    const text = value === undefined ? name : `${name}=${value}`;
    p.call(`set "${text}" of ${what}`, 'fsconfig', set);
  }
  p.call(label, 'fsconfig', [context, flags(FSCONFIG_CMD_CREATE, 'FSCONFIG_CMD_CREATE'), 0, 0, 0], on);
  p.call(label, 'fsmount', [context, flags(FSMOUNT_CLOEXEC, 'FSMOUNT_CLOEXEC'), attributes], {
    into,
    ...on,
  });
  close(p, context);
}

/** A detached copy of the mount at `from` (a descriptor). `how` is OPEN_TREE_CLONE, with AT_RECURSIVE or not. */
export function cloneTree(p: Program, label: string, from: Operand, how: number, into: Slot): void {
  p.call(label, 'open_tree', [from, cString(''), how | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH], { into });
}

/** `how` is 0 or AT_RECURSIVE. */
export function setAttributes(
  p: Program,
  label: string,
  tree: Slot,
  { set, clear }: Attributes,
  how: number,
): void {
  if (set === 0 && clear === 0) return;
  const values = { attr_set: BigInt(set), attr_clr: BigInt(clear) };
  const attributes = block('mount_attr', mount_attr.encode(values));
  p.call(label, 'mount_setattr', [tree, cString(''), AT_EMPTY_PATH | how, attributes, mount_attr.size]);
}

export function setPropagation(p: Program, label: string, tree: Slot, type: number, how: number): void {
  const attributes = block('mount_attr', mount_attr.encode({ propagation: BigInt(type) }));
  p.call(label, 'mount_setattr', [tree, cString(''), AT_EMPTY_PATH | how, attributes, mount_attr.size]);
}

export function attach(p: Program, tree: Slot, target: Operand, what: string): void {
  const both = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  p.call(`mount ${what}`, 'move_mount', [tree, cString(''), target, cString(''), both]);
}
