import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bySpecificity,
  covers,
  overlaps,
  parsePathTemplate,
} from '../../src/catalog/path-template.ts'
import { createRouteTable } from '../../src/catalog/route-table.ts'
import type { OpenApiDocument } from '../../src/catalog/document.ts'
import type { Operation } from '../../src/catalog/operation.ts'

/** Few letters, so that templates and paths often meet; with those that routers treat specially. */
const letters = ['a', 'b', ':', '*', '.', '@', '1', '$']
const literal = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 3 })
const mixed = fc
  .tuple(fc.constantFrom('', 'a', ':', '*'), fc.constantFrom('', '.', ':b', 'ab'))
  .map(([before, after]) => `${before}{p}${after}`)
const twice = fc.constantFrom('{p}.{q}', '{p}:{q}', 'a{p}-{q}', '{p}{q}', '{p}a{q}b')
const segment = fc.oneof(literal, fc.constant('{p}'), mixed, twice)
const template = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`)
const value = fc.string({ unit: fc.constantFrom(...letters, '-', '%2F'), maxLength: 5 })
const path = fc.array(value, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
const methods = ['GET', 'PUT', 'HEAD']
const route = fc.tuple(template, fc.constantFrom(...methods))

/** Paths made up, and paths made from the templates so that they meet. */
function requests(routes: readonly (readonly [string, string])[]): fc.Arbitrary<[string, string]> {
  const filled = fc
    .tuple(fc.constantFrom(...routes.map(([text]) => text)), fc.array(value))
    .map(([text, values]) => {
      let index = 0
      return text.replaceAll(/\{[pq]\}/g, () => values[index++] ?? 'b')
    })
  return fc.tuple(fc.oneof(path, filled), fc.constantFrom(...methods, 'POST'))
}

/** A template as a regular expression: slow and obvious. */
function expression(text: string): RegExp {
  const parts = text.split(/\{[^}]*\}/).map((part) => part.replaceAll(/[^a-z0-9]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^/]+')}$`)
}

/** Specificity as a text that sorts: literal, then the more literal characters the better, then bare. */
function rank(text: string): string {
  return text
    .slice(1)
    .split('/')
    .map((part) => {
      if (!part.includes('{')) return '0'
      if (part === '{p}') return '2'
      const literals = part.replaceAll(/\{[pq]\}/g, '')
      const names = part.split('{').length - 1
      return `1 ${900 - literals.length} ${9 - names} ${part.replaceAll(/\{[pq]\}/g, '\u{E000}')}`
    })
    .join('/')
}

function reference(
  routes: readonly (readonly [string, string])[],
  method: string,
  request: string,
): string | undefined {
  const matching = routes
    .filter(([text]) => expression(text).test(request))
    .toSorted(([a], [b]) => (rank(a) < rank(b) ? -1 : 1))
  for (const [text] of matching) {
    const here = matching.filter(([other]) => rank(other) === rank(text))
    const own = here.find(([, declared]) => declared === method)
    const get = method === 'HEAD' ? here.find(([, declared]) => declared === 'GET') : undefined
    const answer = own ?? get
    if (answer !== undefined) return `${answer[1]} ${answer[0]}`
  }
  return undefined
}

const blankDocument: OpenApiDocument = {
  version: '3.1',
  root: {},
  targets: new Map(),
  files: [],
  fileOf: () => undefined,
  placeOf: () => undefined,
}

function operationOf([text, method]: readonly [string, string]): Operation<string> {
  const parsed = parsePathTemplate(text)
  if (parsed === undefined) throw new Error(`${text} is no template`)
  return {
    id: `${method} ${text}`,
    operationId: undefined,
    method,
    path: text,
    template: parsed,
    group: 'group',
    security: [[]],
    lifecycle: {
      stage: 'generally-available',
      deprecatedAt: undefined,
      sunsetAt: undefined,
      selfAccess: true,
      requestAccessName: undefined,
      notices: [],
    },
    parameters: [],
    validation: undefined,
    source: { document: blankDocument, key: text },
    crn: [],
  }
}

/** As compilation leaves them: no shape has a method twice. */
function withoutTwins(routes: readonly [string, string][]): readonly [string, string][] {
  const shapes = new Map(
    routes.map(([text, method]) => [
      `${method} ${text.replaceAll(/\{[pq]\}/g, '{}')}`,
      [text, method],
    ]),
  )
  return [...shapes.values()] as [string, string][]
}

test('every request finds what a slow and obvious matcher finds', () => {
  const cases = fc
    .array(route, { minLength: 1, maxLength: 12 })
    .map(withoutTwins)
    .chain((routes) => fc.tuple(fc.constant(routes), fc.array(requests(routes), { minLength: 5 })))
  fc.assert(
    fc.property(cases, ([routes, asked]) => {
      const table = createRouteTable(routes.map(operationOf))
      for (const [request, method] of asked) {
        expect(table.find(method, request)?.id).toBe(reference(routes, method, request))
        const allowed = [...table.operationsAt(request).keys()].filter((name) => name !== 'HEAD')
        const declared = routes
          .filter(([text, name]) => name !== 'HEAD' && expression(text).test(request))
          .map(([, name]) => name)
        expect(allowed.toSorted()).toEqual([...new Set(declared)].toSorted())
      }
    }),
    { numRuns: 2000 },
  )
})

test('a template that covers another is less specific, and both overlap', () => {
  const parsed = template.map((text) => parsePathTemplate(text)).filter((t) => t !== undefined)
  fc.assert(
    fc.property(parsed, parsed, (general, special) => {
      fc.pre(general.shape !== special.shape && covers(general, special))
      expect(bySpecificity(special, general)).toBeLessThan(0)
      expect(overlaps(general, special)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

/** Two templates of one path, made by putting parameters in the place of parts of it. */
const templatesOfOnePath = fc
  .array(fc.tuple(literal, fc.nat(4), fc.nat(4)), { minLength: 1, maxLength: 4 })
  .map((parts) =>
    [1, 2].map((side) => {
      const segments = parts.map((part) => generalised(part[0], Number(part[side])))
      return `/${segments.join('/')}`
    }),
  )

function generalised(text: string, way: number): string {
  const ways = [text, '{p}', `${text.slice(0, -1)}{p}`, `{p}${text.slice(1)}`]
  return ways[way] ?? text.replace(/^.(.+).$/, '{p}$1{q}')
}

test('templates that match the same path overlap', () => {
  fc.assert(
    fc.property(templatesOfOnePath, (texts) => {
      const [first, second] = texts.map((text) => parsePathTemplate(text))
      expect(first && second && overlaps(first, second)).toBe(true)
    }),
    { numRuns: 1000 },
  )
})
