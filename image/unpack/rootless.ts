// Owners that an ordinary user cannot set, kept in an extended attribute.
// https://github.com/rootless-containers/proto: message Resource { uint32 uid = 1; uint32 gid = 2; }

export const ROOTLESS_XATTR = 'user.rootlesscontainers';

const UID_KEY = 0x08;
const GID_KEY = 0x10;

/** An id that is not recorded. Root is not: what belongs to nobody in particular is root's. */
const NOT_RECORDED = 0xffff_ffff;

export function rootlessXattr(uid: number, gid: number): Buffer {
  return Buffer.from([UID_KEY, ...varint(uid || NOT_RECORDED), GID_KEY, ...varint(gid || NOT_RECORDED)]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
