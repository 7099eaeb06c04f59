/**
 * Rules for every string and key of a document, also of properties that nobody here knows: the kernel would cut a string
 * at a NUL (CVE-2021-43784 smuggled settings behind one), and half a surrogate pair has no bytes.
 */

import { JSON_DEPTH_MAX } from './json.ts';
import { memberPath, type Report } from './spec-error.ts';

export function checkStrings(value: unknown, report: Report): void {
  if (!isSound(value, 0)) reportStrings(value, '$', 0, report);
}

function isSoundText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Builds no paths: nearly every document passes. */
function isSound(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isSoundText(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === JSON_DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((item) => isSound(item, depth + 1));
  return Object.entries(value).every(([key, item]) => isSoundText(key) && isSound(item, depth + 1));
}

function reportStrings(value: unknown, at: string, depth: number, report: Report): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) report.add(at, 'must not contain a NUL byte');
    if (!value.isWellFormed()) report.add(at, 'must be valid Unicode');
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth === JSON_DEPTH_MAX) {
    report.add(at, `nests deeper than ${JSON_DEPTH_MAX} levels`);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${at}[${key}]` : memberPath(at, key);
    if (!isSoundText(key)) report.add(path, 'must not have a NUL byte or half a character in its name');
    reportStrings(item, path, depth + 1, report);
  }
}
