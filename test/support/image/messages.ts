// What a failure says on a terminal: one line, the causes after it.

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

/** The line of the failure that `action` ends in; `succeeded` if it does not. */
export async function failureOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    return messageOf(error);
  }
  return 'succeeded';
}
