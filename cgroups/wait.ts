// Waiting for the kernel to finish what it was told.

/** cgroup.events is not worth a watch: the kernel sends at most one notification in 10 ms. */
const PAUSE_MS_MAX = 10;
/** Up to here the thread itself sleeps, 1.5 ms in all: a timer's least is 1 ms, most waits are shorter. */
const BLOCKING_PAUSE_MS_MAX = 1;

const neverNotified = new Int32Array(new SharedArrayBuffer(4));

/** Asks `isDone` again and again, ever more seldom. Whether it said yes within `timeoutMs`. */
export async function waitUntil(isDone: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 0.1; !isDone(); pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    if (performance.now() >= deadline) return false;
    if (pauseMs < BLOCKING_PAUSE_MS_MAX) Atomics.wait(neverNotified, 0, 0, pauseMs);
    else await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return true;
}
