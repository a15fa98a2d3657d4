import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLinkRewriter } from '../../src/gateway/json-links.ts'

const publicLink = (link: string): string => link.replace('http://one', 'https://api.test')

/** Pass a text on, cut at these places. */
function rewritten(text: string | Buffer, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(text)
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
  places.sort((one, other) => one - other)
  const rewriter = createLinkRewriter(publicLink)
  const out = places.slice(1).map((end, place) => rewriter.push(bytes.subarray(places[place], end)))
  return Buffer.concat([...out.map((piece) => Buffer.from(piece)), rewriter.end()]).toString(
    'latin1',
  )
}

const link = fc.oneof(
  fc.webUrl().map((url) => `http://one/${url}`),
  fc.string({ unit: 'binary' }),
  fc.constant('http://one/"\\\n/é'),
)
const member = fc.constantFrom('first', 'prev', 'next', 'last', 'self', 'metadata', 'a"b', '')
const page = fc.record({
  metadata: fc.dictionary(member, fc.oneof(link, fc.jsonValue(), fc.record({ next: link }))),
  data: fc.oneof(fc.jsonValue(), fc.record({ metadata: fc.record({ next: link }) })),
  next: link,
})

type Page = typeof page extends fc.Arbitrary<infer Value> ? Value : never

/** The same by parsing the whole. */
function reference(value: Page): unknown {
  const metadata = Object.entries(value.metadata).map(([name, each]) => {
    const isLink = /^(?:first|prev|next|last)$/.test(name) && typeof each === 'string'
    return [name, isLink ? publicLink(each) : each]
  })
  return { ...value, metadata: Object.fromEntries(metadata) as unknown }
}

test('the links of a page are exchanged, nothing else is, wherever the text is cut', () => {
  fc.assert(
    fc.property(page, fc.array(fc.nat(), { maxLength: 20 }), fc.nat(2), (value, cuts, indent) => {
      const text = rewritten(JSON.stringify(value, undefined, indent), cuts)
      const parsed: unknown = JSON.parse(Buffer.from(text, 'latin1').toString())
      expect(parsed).toEqual(JSON.parse(JSON.stringify(reference(value))))
    }),
  )
})

test('whatever is no page passes byte for byte', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(fc.nat()), (bytes, cuts) => {
      expect(rewritten(Buffer.from(bytes), cuts)).toBe(Buffer.from(bytes).toString('latin1'))
    }),
  )
})

test.each([
  '{"metadata":{"next":"http://one/unfinished',
  '{"metadata":{"next":"http://one/bad\\x"}}',
  '[{"metadata":{"next":"http://one/a"}}]',
  '{"data":{"metadata":{"next":"http://one/a"}}}',
  '{"metadata":{"a":{"next":"http://one/a"},"b":["next","http://one/a"]}}',
  '{"metadata":["next","http://one/a"]}',
  '{"metadata":{"self":"http://one/a","total_size":12345678901234567890}}',
  `{"metadata":{"next":"http://one/${'a'.repeat(9_000)}"}}`,
])('what is no link of a page stays as it is: %#', (text) => {
  expect(rewritten(text) === text).toBe(true)
  expect(rewritten(text, [...Array(text.length).keys()].slice(0, 200))).toBe(text)
})

test('numbers and unknown members beside the links keep their text', () => {
  const text =
    '{"metadata": {"next":"http://one/\\u0061" , "total_size":1.0e2}, "n":9007199254740993}'
  expect(rewritten(text)).toBe(text.replace('http://one/\\u0061', 'https://api.test/a'))
})
