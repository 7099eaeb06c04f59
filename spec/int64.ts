/** The standards' 64-bit integers, which JSON writes in full and a double cannot hold. */

/** A `bigint` exactly when it is beyond 2^53; `String(limit)` and `BigInt(limit)` serve both, and so do `<` and `>`. */
export type Int64 = number | bigint;
export type Uint64 = number | bigint;

export const INT64_MAX = 2n ** 63n - 1n;
export const UINT64_MAX = 2n ** 64n - 1n;
