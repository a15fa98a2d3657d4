import ipaddr from 'ipaddr.js'
import { z } from 'zod'

// The kinds of value that fields of a configuration have.

export const port = z.int().min(0).max(65_535).describe('TCP port; 0 picks a free one.')
export const milliseconds = z.int().min(1).max(86_400_000)
export const bytes = z.int().min(1)
export const count = z.int().min(1)

export const address = (defaultPort: number) =>
  z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address or host name to listen on.'),
      port: port.default(defaultPort),
    })
    .prefault({})

/** Names of PEM files, relative to the configuration. */
export const file = z.string().min(1)

export const cidr = z.string().refine((text) => {
  return text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text)
}, 'Must be an IP address or a CIDR range')

/** Where people read on: it may lead to a part of a page. */
export const linkUrl = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
    message: 'Must be an http or https URL',
    abort: true,
  })

export const httpUrl = linkUrl.refine(
  (text) => {
    const url = URL.parse(text)
    return url !== null && url.username + url.password + url.search + url.hash === ''
  },
  { message: 'Must hold no credentials, query or fragment', abort: true },
)

export const origin = httpUrl.refine(
  (text) => URL.parse(text)?.origin === text,
  'Must be an origin: scheme, host and port, without a path',
)
