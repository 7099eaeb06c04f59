import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { assembledProgram } from '../../../image/embedded/assembled.ts';
import { isStatic } from '../../../image/embedded/busybox.ts';

it('assembledProgram() is a static program that says the name of the machine it runs on', () => {
  const { content } = assembledProgram();
  expect(isStatic(Buffer.from(content))).toBe(true);
  const directory = mkdtempSync(path.join(tmpdir(), 'hull-assembled-'));
  try {
    const welcome = path.join(directory, 'root');
    execFileSync('mkdir', ['-p', path.join(welcome, 'etc'), path.join(welcome, 'bin')]);
    writeFileSync(path.join(welcome, 'etc/welcome'), 'Well done.\n');
    writeFileSync(path.join(welcome, 'bin/welcome'), content, { mode: 0o755 });
    const said = execFileSync('chroot', [welcome, '/bin/welcome'], { encoding: 'utf8' });
    expect(said).toContain(hostname());
    expect(said).toContain('Well done.\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
