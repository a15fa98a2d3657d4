/** Clocks of two machines differ in speed by far less than this (NTP slews by 0.0005 at most). */
const drift = 0.001

/**
 * How long a window of Redis certainly lasts by the clock of this process, counted from the moment of
 * asking, and one millisecond short since Redis's are whole.
 */
export function certainlyLastsMs(msToReset: number): number {
  return msToReset * (1 - drift) - 1
}
