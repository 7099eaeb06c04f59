// Descriptors that have an owner.
import { closeSync } from 'node:fs';

/** An open descriptor that is closed when its owner's scope ends: `using root = new Fd(…)`. */
export class Fd implements Disposable {
  #number: number;

  constructor(number: number) {
    if (!Number.isInteger(number) || number < 0) throw new RangeError(`not a descriptor: ${number}`);
    this.#number = number;
  }

  /** The number, lent: valid for as long as this object is not disposed. */
  get number(): number {
    if (this.#number < 0) throw new Error('use of a closed descriptor');
    return this.#number;
  }

  /** Gives the number away; this object no longer closes it. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  [Symbol.dispose](): void {
    if (this.#number < 0) return;
    const number = this.#number;
    this.#number = -1;
    closeSync(number);
  }
}
