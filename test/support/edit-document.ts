/** Changes one place of a JSON-like document, named as error messages name it. */

type Segment = string | number;

/** `$.linux.sysctl["net.a"][0]` is `linux`, `sysctl`, `net.a`, 0. */
export function parsePath(path: string): readonly Segment[] {
  const segments: Segment[] = [];
  for (const [, name, index, quoted] of path.matchAll(
    /\.([A-Za-z_]\w*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g,
  )) {
    if (name !== undefined) segments.push(name);
    else if (index !== undefined) segments.push(Number(index));
    else if (quoted !== undefined) segments.push(String(JSON.parse(quoted)));
  }
  return segments;
}

/** A copy of the document with another value at the path; `undefined` removes the member. */
export function edited(document: unknown, path: string, value: unknown): unknown {
  return replace(document, parsePath(path), value);
}

function replace(document: unknown, [first, ...rest]: readonly Segment[], value: unknown): unknown {
  if (first === undefined) return value;
  if (Array.isArray(document)) {
    const copy: unknown[] = [...document];
    copy[Number(first)] = replace(copy[Number(first)], rest, value);
    return copy;
  }
  const copy = { ...(document as Readonly<Record<string, unknown>>) };
  const member = replace(copy[first], rest, value);
  if (member === undefined) delete copy[first];
  else copy[first] = member;
  return copy;
}

/** Every place of a document with its value, the document itself left out. */
export function* places(document: unknown, at = '$'): Generator<readonly [path: string, value: unknown]> {
  if (typeof document !== 'object' || document === null) return;
  for (const [key, value] of Object.entries(document)) {
    const plain = /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    const path = at + (Array.isArray(document) ? `[${key}]` : plain);
    yield [path, value];
    yield* places(value, path);
  }
}
