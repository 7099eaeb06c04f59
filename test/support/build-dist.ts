// Integration tests run bin/hull, and that runs dist/ where there is one: it has to be of these sources.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export function setup(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, '../../bin/build.ts')], { stdio: 'inherit' });
}
