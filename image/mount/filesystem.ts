// Mounts made in the dark: configured by descriptor, complete before anything can see them (rule D4).
import { readSync } from 'node:fs';
import {
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
} from '../../sys/abi/constants.ts';
import { isErrno, SysError } from '../../sys/errno.ts';
import { Fd } from '../../sys/fd.ts';
import { trySyscall } from '../../sys/syscall.ts';

/** Key and value, in the order they are given; a key without a value is a flag. */
export type FilesystemParameter = readonly [key: string, value?: string];

/** The kernel keeps a file system's last 8 messages, none longer than this in practice. */
const MESSAGE_BYTES = 1024;
const MESSAGES_MAX = 8;

/**
 * A new instance of a file system as a detached mount, which vanishes when the descriptor is closed unless somebody
 * has attached or stacked it.
 * @see fsopen(2), fsconfig(2), fsmount(2), Linux 5.2
 * @throws {SysError} with what the file system itself said, where it said something.
 */
export function mountFilesystem(
  type: string,
  parameters: readonly FilesystemParameter[],
  attributes: number,
): Fd {
  using context = new Fd(check(trySyscall('fsopen', type, FSOPEN_CLOEXEC), 'fsopen', type));
  for (const [key, value] of parameters) {
    const result =
      value === undefined
        ? trySyscall('fsconfig', context.number, FSCONFIG_SET_FLAG, key, 0, 0)
        : trySyscall('fsconfig', context.number, FSCONFIG_SET_STRING, key, value, 0);
    explainedCheck(result, 'fsconfig', value === undefined ? key : `${key}=${value}`, context);
  }
  const created = trySyscall('fsconfig', context.number, FSCONFIG_CMD_CREATE, 0, 0, 0);
  explainedCheck(created, 'fsconfig', type, context);
  return new Fd(check(trySyscall('fsmount', context.number, FSMOUNT_CLOEXEC, attributes), 'fsmount', type));
}

function check(result: number, call: string, subject: string): number {
  if (result < 0) throw new SysError(call, -result, subject);
  return result;
}

function explainedCheck(result: number, call: string, subject: string, context: Fd): void {
  if (result >= 0) return;
  const error = new SysError(call, -result, subject);
  const messages = readMessages(context.number);
  if (messages.length > 0) error.cause = new Error(messages.join('; '));
  throw error;
}

/** One message a read, `e overlayfs: too many layers`; ENODATA after the last. */
function readMessages(contextNumber: number): string[] {
  const messages: string[] = [];
  const buffer = Buffer.alloc(MESSAGE_BYTES);
  try {
    while (messages.length < MESSAGES_MAX) {
      const count = readSync(contextNumber, buffer);
      messages.push(
        buffer
          .toString('utf8', 0, count)
          .replace(/^[ewi] /, '')
          .trim(),
      );
    }
  } catch (error) {
    if (!isErrno(error, 'ENODATA')) throw error;
  }
  return messages;
}
