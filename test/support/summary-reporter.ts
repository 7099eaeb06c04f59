// The last lines of a test run: what was skipped and why, and the counts.
import type { Reporter, TestCase, TestModule } from 'vitest/node';

type State = 'passed' | 'failed' | 'skipped';

const skipReason = (test: TestCase): string => {
  const result = test.result();
  return (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given';
};

/** A file that cannot be loaded, or a hook that fails, is a failure that no test has. */
const brokenModules = (modules: readonly TestModule[]): number =>
  modules.filter((module) => module.state() === 'failed' && module.children.allTests('failed').next().done)
    .length;

/** The default reporter prints its summary in the same hook; reporters run in the order of their list. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts: Record<State, number> = { passed: 0, failed: 0, skipped: 0 };
    const skipped: string[] = [];
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const { state } = test.result();
      if (state !== 'pending') counts[state] += 1;
      if (state === 'skipped') skipped.push(`  ${test.fullName}: ${skipReason(test)}`);
    }
    counts.failed += brokenModules(modules) + unhandledErrors.length;
    if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.join('\n')}`);
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

// biome-ignore lint/style/noDefaultExport: vitest takes a reporter from there.
export default SummaryReporter;
