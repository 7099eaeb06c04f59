// What the host and the stage agree on about hooks; apart from the steps, for the commands that make none.

/** A state of more than this is refused by the host before it sends it; annotations make up most of it. */
export const STATE_BYTES_MAX = 64 * 1024;

/** Stands for the exit status in a hook's error; the host puts it in from the report before. */
export const STATUS_PLACEHOLDER = '{status}';
export const HOOK_STATUS_REPORT = 'tell how the hook ended';
