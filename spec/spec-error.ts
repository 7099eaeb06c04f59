/** How a document breaks its standard: the member, and the rule it breaks; and the list such errors are gathered in. */

/** Not an `Error`: a document has many, and whoever reads it decides. `{ path: '$.process.cwd', rule: 'must be an absolute path' }` */
export interface SpecError {
  readonly path: string;
  readonly rule: string;
}

/** A hostile document of a few megabytes could otherwise grow into a list of a million errors. */
export const SPEC_ERRORS_MAX = 1000;

/** What a rule quotes of a document's own text; enough to find it by, and one line on a terminal. */
const QUOTED_CHARACTERS_MAX = 64;

const PLAIN_KEY = /^[A-Za-z_]\w*$/;

export function formatSpecError(error: SpecError): string {
  return `${error.path}: ${error.rule}`;
}

/** Text that a document controls, made safe to print: quoted, escaped, cut. */
export function quote(text: string): string {
  const cut = text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}…` : text;
  return printable(JSON.stringify(cut));
}

/** The same for text of our own making, such as a message of V8's, that may hold pieces of a document. */
export function printable(text: string): string {
  // Control characters, and those that reorder or break a line: none may reach a terminal or a log as they are.
  // Not at the top of this file: the tables behind \p take 0.2 ms, and hardly any run of hull has something to print.
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, escapeCharacter);
}

/** By UTF-16 units, as JSON does. */
function escapeCharacter(character: string): string {
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map((unit) => `\\u${unit}`).join('');
}

/** `$.annotations` and `a b` make `$.annotations["a b"]`. */
export function memberPath(at: string, key: string): string {
  return PLAIN_KEY.test(key) && key.length <= QUOTED_CHARACTERS_MAX ? `${at}.${key}` : `${at}[${quote(key)}]`;
}

function covers(outer: string, inner: string): boolean {
  if (!inner.startsWith(outer)) return false;
  const next = inner[outer.length];
  return next === undefined || next === '.' || next === '[';
}

export class Report {
  readonly #errors: SpecError[] = [];

  get size(): number {
    return this.#errors.length;
  }

  get errors(): readonly SpecError[] {
    return this.#errors;
  }

  add(path: string, rule: string): void {
    if (this.#errors.length < SPEC_ERRORS_MAX) this.#errors.push({ path, rule });
    else if (this.#errors.length === SPEC_ERRORS_MAX) {
      this.#errors.push({ path: '$', rule: `has more problems than the ${SPEC_ERRORS_MAX} listed` });
    }
  }

  /** Whether a rule that reads these members can trust them: nothing at, above or below them is wrong. */
  isClean(paths: readonly string[]): boolean {
    return this.#errors.every(({ path }) =>
      paths.every((read) => !covers(read, path) && !covers(path, read)),
    );
  }
}

/** A document that breaks its standard. The message is one line: the first problem, and how many more. */
export class DocumentError extends Error {
  readonly problems: readonly SpecError[];

  constructor(problems: readonly SpecError[]) {
    const [first] = problems;
    const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(first === undefined ? 'broken document' : `${formatSpecError(first)}${rest}`);
    this.name = 'DocumentError';
    this.problems = problems;
  }
}
