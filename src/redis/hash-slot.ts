/**
 * The slot of a Redis Cluster that a key belongs to: of what stands in its first pair of braces, where
 * anything does, else of all of it.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ (key distribution)
 */
export function hashSlot(key: string): number {
  const open = key.indexOf('{')
  const close = open === -1 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  return crc16(Buffer.from(hashed)) % slots
}

const slots = 16_384

/** CRC-16/XMODEM: polynomial 0x1021, nothing reflected. */
function crc16(bytes: Buffer): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
    }
  }
  return crc & 0xffff
}
