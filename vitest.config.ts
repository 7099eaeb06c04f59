import { defineConfig } from 'vitest/config';

const SHARED = {
  pool: 'forks', // tests change a process's namespaces, limits and descriptors
  testTimeout: 60_000,
  hookTimeout: 120_000,
  globals: false,
} as const;

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          ...SHARED,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
        },
      },
      {
        test: {
          ...SHARED,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/build-dist.ts'],
          // Each file's tests run one after another. More files at once than this, and on two processors the tests
          // that wait for something start to wait for each other.
          maxWorkers: 2,
        },
      },
    ],
  },
});
