import { describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';
import { createSleeping, startSleeping } from '../support/running.ts';

describe('list', () => {
  it('prints a header alone where there is no container', async () => {
    await using host = await TestHost.open();
    host.directory('state', 0o700);
    const { status, stdout } = await host.runtime.list();
    expect(status).toBe(0);
    expect(stdout).toBe('ID          PID         STATUS      BUNDLE      CREATED     OWNER\n');
  });

  it('prints null as JSON where there is no container', async () => {
    await using host = await TestHost.open();
    host.directory('state', 0o700);
    const { status, stdout } = await host.runtime.list({ flags: ['--format', 'json'] });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'null\n' });
  });

  it('prints a table as wide as its cells', async () => {
    await using host = await TestHost.open();
    const ids = [await createSleeping(host), await startSleeping(host)];
    const states = await Promise.all(ids.map((id) => host.runtime.state(id)));
    const { status, stdout } = await host.runtime.list();
    expect(status).toBe(0);
    const rows = [['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER']];
    for (const { id, pid, status, bundle, created } of states)
      rows.push([id, `${pid}`, status, bundle, created, 'root']);
    expect(stdout).toBe(table(rows));
  });

  it('prints all that state prints as JSON, and the owner', async () => {
    await using host = await TestHost.open();
    const ids = [await createSleeping(host), await startSleeping(host)];
    const states = await Promise.all(ids.map((id) => host.runtime.state(id)));
    const { stdout } = await host.runtime.list({ flags: ['-f', 'json'] });
    expect(JSON.parse(stdout)).toEqual(states.map((state) => ({ ...state, owner: 'root' })));
    expect(stdout.trimEnd()).not.toContain('\n');
  });

  it('prints only names with --quiet', async () => {
    await using host = await TestHost.open();
    const ids = [await createSleeping(host), await startSleeping(host)];
    const { stdout } = await host.runtime.list({ flags: ['-q'] });
    expect(stdout).toBe(`${ids.join('\n')}\n`);
  });

  it('refuses a format that it does not know', async () => {
    await using host = await TestHost.open();
    host.directory('state', 0o700);
    const { status, stderr } = await host.runtime.list({ flags: ['-f', 'yaml'] });
    expect(status).toBe(1);
    expect(stderr).toContain('invalid format option');
  });
});

/** Go's text/tabwriter with a minimal width of 12 and a padding of 3: each column is as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): string {
  const columns = (rows[0] ?? []).length;
  const widths = [...Array(columns).keys()].map((column) =>
    Math.max(12, ...rows.map((row) => (row[column] ?? '').length + 3)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === columns - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('');
  return `${rows.map(line).join('\n')}\n`;
}
