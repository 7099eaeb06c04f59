// Names of images inside archives, where the same image has a long and a short one.

const NAMES_SHOWN_MAX = 20;

/** `docker.io/library/busybox:1` is what everybody calls `busybox:1`. */
export const shortName = (name: string): string => name.replace(/^docker\.io\/(?:library\/)?/, '');

/** Whether `wanted` means the image called `name`: by its full or short name, by repository, or by tag alone. */
export function matchesName(name: string | undefined, wanted: string): boolean {
  if (name === undefined) return false;
  const short = shortName(name);
  const colon = short.indexOf(':', short.lastIndexOf('/') + 1);
  const repository = colon === -1 ? short : short.slice(0, colon);
  const tag = colon === -1 ? 'latest' : short.slice(colon + 1);
  const asked = shortName(wanted);
  return (
    asked === short ||
    asked === `${repository}:${tag}` ||
    asked === tag ||
    (tag === 'latest' && asked === repository)
  );
}

/** For an error that says what there is. */
export function listNames(names: readonly (string | undefined)[]): string {
  const distinct = [...new Set(names.filter((name) => name !== undefined))];
  if (distinct.length === 0) return 'nothing that has a name';
  const shown = distinct.slice(0, NAMES_SHOWN_MAX).map((name) => JSON.stringify(name));
  return distinct.length > shown.length
    ? `${shown.join(', ')} and ${distinct.length - shown.length} more`
    : shown.join(', ');
}
