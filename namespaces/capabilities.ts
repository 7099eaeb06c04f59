// Capabilities by name. Source: linux/capability.h; the last one came with Linux 5.9.
const NAMES = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE',
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT',
  'SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP',
  'MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
];

/** In the kernel's order: the index is the number. */
export const CAPABILITY_NAMES: readonly string[] = NAMES.flatMap((line) => line.split(' ')).map(
  (n) => `CAP_${n}`,
);

const NUMBERS: ReadonlyMap<string, number> = new Map(CAPABILITY_NAMES.map((name, number) => [name, number]));

export interface CapabilityMask {
  readonly bits: bigint;
  /** Names that no kernel of ours knows: worth a warning, by the standard not an error. */
  readonly unknown: readonly string[];
}

export function capabilityMask(names: readonly string[] | undefined): CapabilityMask {
  let bits = 0n;
  const unknown: string[] = [];
  for (const name of names ?? []) {
    const number = NUMBERS.get(name.toUpperCase());
    if (number === undefined) unknown.push(name);
    else bits |= 1n << BigInt(number);
  }
  return { bits, unknown };
}
