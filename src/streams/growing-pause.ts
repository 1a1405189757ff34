/** The pause after a snapshot that failed for the first time; it doubles each time. */
const pauseMsMin = 1_000;
/** The longest such pause. */
const pauseMsMax = 60_000;

/** Milliseconds until a snapshot that failed is tried again; `before` is what the last pause was, of the failure before it. */
export function growingPauseMs(before: number | undefined): number {
  return before === undefined ? pauseMsMin : Math.min(2 * before, pauseMsMax);
}
