// --platform, as Docker and podman write it.
import type { Platform } from '../../../spec/image/platform.ts';
import { RuntimeError } from '../../errors.ts';
import type { OptionTable } from '../command.ts';

export const PLATFORM_OPTION = {
  platform: {
    type: 'string',
    value: 'os/arch[/variant]',
    help: 'which of several images to take (default: the one for this machine)',
  },
} as const satisfies OptionTable;

/** `linux/arm64/v8`, `linux/amd64`, or `arm64` alone. @throws {RuntimeError} */
export function parsePlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  const parts = text.split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9._-]+$/i.test(part))) {
    throw new RuntimeError('USAGE', `invalid platform ${JSON.stringify(text)}: not OS/ARCH[/VARIANT]`);
  }
  const [os = 'linux', architecture, variant] = parts;
  if (architecture === undefined) return { os: 'linux', architecture: os };
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}
