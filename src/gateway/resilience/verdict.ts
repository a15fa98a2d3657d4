/**
 * Whether a status says that an instance cannot answer now. One that answers 500 has answered, and may
 * do so because of what one caller sends: who could have an instance ejected by that could take the
 * whole upstream away from everybody.
 */
export function saysItCannot(status: number): boolean {
  return status === 502 || status === 503 || status === 504
}
